// SPDX-License-Identifier: Apache-2.0
//
// What shim-log does with an event log.
#pragma once

#include <optional>
#include <string>

#include "tools/common/exit_code.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// Prints the events, what of each is covered by its digest, and the registers that they lead to.
/// check_failed when the log contradicts itself.
[[nodiscard]] Outcome<ExitCode> decode(const std::string& file, bool json);

/// Prints the registers only: they follow from the digests, whatever the log says beside them.
[[nodiscard]] Outcome<ExitCode> replay(const std::string& file, bool json);

/// What a log is checked against; at least one.
struct References {
    std::optional<std::string> policy; ///< files
    std::optional<std::string> report;
    std::optional<std::string> quote;
};

/// Prints a line a difference, or that all agree, how many events the OS appended, and which
/// registers were not compared. check_failed when there is a difference.
[[nodiscard]] Outcome<ExitCode> check(const std::string& file, const References& references,
                                      bool json);

} // namespace tdshim::tools
