// SPDX-License-Identifier: Apache-2.0
//
// What a relying party decides by: a list of checks, each with its outcome and why. All of them are
// made, whatever became of those before.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/attestation/collateral.hpp"
#include "tools/measurements/comparison.hpp"

namespace tdshim::tools {

/// What came from the TD.
struct Evidence {
    std::string name; ///< for messages
    std::vector<std::byte> quote;
    std::optional<std::vector<std::byte>> log; ///< CCEL
};

/// What may be otherwise than it should.
enum class Leniency {
    sw_hardening_needed,
    configuration_needed,
    configuration_and_sw_hardening_needed,
    out_of_date,
    out_of_date_configuration_needed,
    no_sept_ve_disable,
    migratable,
    module_attributes,
    service_td,
    no_nonce,
    no_log,
    no_policy,
};

/// What the relying party asks for.
struct Demands {
    std::optional<Policy> policy;
    std::optional<tdx::ReportData> report_data;
    crypto::Digest servtd_hash{}; ///< zero: no service TD may be bound
    const Collateral* collateral = nullptr;
    const X509* root = nullptr; ///< nullptr: Intel's, by its key
    Moment moment;
    std::uint64_t min_evaluation = 0; ///< of the collateral's tcbEvaluationDataNumber
    std::set<Leniency> lenient;
};

enum class Judgement { passed, accepted, failed };

struct Check {
    std::string name; ///< "quote-signature"
    Judgement judgement = Judgement::failed;
    std::string text; ///< what was found
};

[[nodiscard]] std::vector<Check> verdict_on(const Evidence& evidence, const Demands& demands);

/// Whether none failed.
[[nodiscard]] bool holds(const std::vector<Check>& checks);

} // namespace tdshim::tools
