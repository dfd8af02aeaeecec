// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-log/commands.hpp"

#include <format>
#include <iostream>
#include <optional>

#include "tools/common/files.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/comparison.hpp"

namespace tdshim::tools {
namespace {

Outcome<std::optional<TdRegisters>> td_registers(const References& references) {
    if (!references.report.empty()) {
        const auto bytes = TRY(read_file(references.report));
        return TRY(of_file(references.report, registers_of_report(bytes)));
    }
    if (!references.quote.empty()) {
        const auto bytes = TRY(read_file(references.quote));
        return TRY(of_file(references.quote, registers_of_quote(bytes)));
    }
    return std::nullopt;
}

Outcome<std::optional<Policy>> policy(const References& references) {
    if (references.policy.empty())
        return std::nullopt;
    const auto bytes = TRY(read_file(references.policy));
    return TRY(parse_policy(references.policy, bytes));
}

/// The image first, for every other difference may follow from it; then the log's events in their
/// order; then registers that no event explains.
std::vector<Finding> compare(const DecodedLog& log, const std::optional<TdRegisters>& td,
                             const std::optional<Policy>& policy) {
    std::vector<Finding> findings;
    if (td && policy)
        findings.append_range(
            compare_registers(*td, {.mrtd = policy->mrtd, .rtmr = {}, .events = {}}));
    if (log.announced && *log.announced != log.used)
        findings.push_back(
            {"", "", "event log",
             std::format("event log: its header announces {} bytes, its events have {}",
                         *log.announced, log.used)});
    if (policy)
        findings.append_range(compare_log(log, *policy));
    if (td)
        findings.append_range(compare_log(log, *td));
    return findings;
}

void print_text(const std::vector<Finding>& findings, const std::string& file,
                const References& references) {
    for (const Finding& finding : findings)
        std::cout << "differs: " << printable(finding.text) << '\n';
    if (findings.empty())
        for (const std::string& other : {references.policy, references.report, references.quote})
            if (!other.empty())
                std::cout << std::format("{} agrees with {}\n", file, other);
}

nlohmann::ordered_json json_of(const std::vector<Finding>& findings) {
    nlohmann::ordered_json json{{"agrees", findings.empty()},
                                {"differences", nlohmann::ordered_json::array()}};
    for (const Finding& finding : findings)
        json["differences"].push_back({{"register", finding.register_key},
                                       {"description", finding.description},
                                       {"input", finding.origin},
                                       {"text", finding.text}});
    return json;
}

} // namespace

Outcome<ExitCode> check(const std::string& file, const References& references, bool json) {
    const auto wanted = TRY(policy(references));
    const auto td = TRY(td_registers(references));
    const auto bytes = TRY(read_file(file));
    const DecodedLog log = TRY(of_file(file, decode_log(bytes)));
    if (log.error)
        return std::unexpected(failure(file, *log.error));
    const std::vector<Finding> findings = compare(log, td, wanted);
    if (json)
        print_json(json_of(findings));
    else
        print_text(findings, file, references);
    return findings.empty() ? ExitCode::good : ExitCode::check_failed;
}

} // namespace tdshim::tools
