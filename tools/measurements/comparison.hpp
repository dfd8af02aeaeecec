// SPDX-License-Identifier: Apache-2.0
//
// Compares what a TD says about its boot with what its log says and with what was predicted.
#pragma once

#include <optional>
#include <vector>

#include "tools/measurements/coverage.hpp"
#include "tools/measurements/finding.hpp"
#include "tools/measurements/policy.hpp"
#include "tools/measurements/td_registers.hpp"

namespace tdshim::tools {

/// The first event of each register in which `log` differs from `policy`, in the log's order, and
/// registers that no event explains. In RTMR[2] and RTMR[3] the policy's events come first, and the
/// operating system's may follow.
[[nodiscard]] std::vector<Finding> compare_log(const DecodedLog& log, const Policy& policy);

/// Registers of a TD that are not what the log leads to.
[[nodiscard]] std::vector<Finding> compare_log(const DecodedLog& log, const TdRegisters& td);

/// Registers of a TD that are not what the policy asks for.
[[nodiscard]] std::vector<Finding> compare_registers(const TdRegisters& td, const Policy& policy);

/// ATTRIBUTES and XFAM of a TD that are not what the policy asks for; and, without any, a TD under
/// debug, unless the policy pins just that.
[[nodiscard]] std::vector<Finding> compare_attributes(const TdRegisters& td,
                                                      const std::optional<Policy>& policy);

/// All of these, and what is wrong with the log itself: what the TD is first, for in a TD under
/// debug nothing else is worth anything; then the image, for every other difference may follow from
/// it; then the log's events in their order; then registers.
[[nodiscard]] std::vector<Finding> differences(const DecodedLog& log, const LogCoverage& coverage,
                                               const std::optional<TdRegisters>& td,
                                               const std::optional<Policy>& policy);

struct RegisterName {
    std::string key;  ///< "rtmr2"
    std::string name; ///< "RTMR[2]", or "RTMR[2] behind the policy's 3 events"
};

/// Of a TD's registers, ATTRIBUTES and XFAM among them, those that an agreement says nothing of.
struct NotCompared {
    std::vector<RegisterName> with_policy; ///< there is none, or it does not pin them
    std::vector<RegisterName> with_td;     ///< there is no TDREPORT or quote
};

[[nodiscard]] NotCompared not_compared(const std::optional<TdRegisters>& td,
                                       const std::optional<Policy>& policy);

/// The bits of ATTRIBUTES by which `policy` takes TDs under debug, whose memory their VMM reads and
/// writes, and which prove nothing; else 0.
[[nodiscard]] std::uint64_t debug_bits(const Policy& policy);

} // namespace tdshim::tools
