// SPDX-License-Identifier: Apache-2.0
//
// Runs a program that must not outlive this one.
#pragma once

#include <string>
#include <vector>

#include "tools/common/failure.hpp"

namespace tdshim::td_emu {

/// Runs a command to its end, with the descriptor `output` for its standard output. Returns its
/// exit code, 128 and more for a signal. SIGINT, SIGTERM and SIGHUP end it and not this program,
/// which has things to put away: the first as SIGTERM, any other, or ten seconds, as SIGKILL. The
/// terminal is afterwards as it was.
[[nodiscard]] tools::Outcome<int> run_command(const std::vector<std::string>& command, int output);

} // namespace tdshim::td_emu
