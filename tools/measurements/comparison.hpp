// SPDX-License-Identifier: Apache-2.0
//
// Compares what a TD says about its boot with what its log says and with what was predicted. Every
// finding is one line that names the register, the event and the input behind it.
#pragma once

#include <string>
#include <vector>

#include "tools/measurements/logged.hpp"
#include "tools/measurements/policy.hpp"
#include "tools/measurements/td_registers.hpp"

namespace tdshim::tools {

struct Finding {
    std::string register_key; ///< "mrtd", "rtmr0", ...
    std::string description;  ///< of the event; empty where a register as a whole differs
    std::string origin;       ///< which input that is, in words; empty when the policy does not say
    std::string text;
};

/// The first event of each register in which `log` differs from `policy`, in the log's order.
[[nodiscard]] std::vector<Finding> compare_log(const DecodedLog& log, const Policy& policy);

/// Registers of a TD that are not what the log leads to. RTMR[2] and RTMR[3] are the operating
/// system's, which keeps no record in this log: they are not looked at.
[[nodiscard]] std::vector<Finding> compare_log(const DecodedLog& log, const TdRegisters& td);

/// Registers of a TD that are not what the policy asks for.
[[nodiscard]] std::vector<Finding> compare_registers(const TdRegisters& td, const Policy& policy);

} // namespace tdshim::tools
