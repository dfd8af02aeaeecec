// SPDX-License-Identifier: Apache-2.0
//
// What shim-log does with an event log.
#pragma once

#include <string>

#include "tools/common/command.hpp"

namespace tdshim::tools {

/// Prints the events and the registers that they lead to.
[[nodiscard]] Outcome<ExitCode> decode(const std::string& file, bool json);

/// Prints the registers only.
[[nodiscard]] Outcome<ExitCode> replay(const std::string& file, bool json);

/// What a log is checked against; at least one.
struct References {
    std::string policy; ///< files
    std::string report;
    std::string quote;
};

/// Prints a line a difference, or that all agree. check_failed when there is a difference.
[[nodiscard]] Outcome<ExitCode> check(const std::string& file, const References& references,
                                      bool json);

} // namespace tdshim::tools
