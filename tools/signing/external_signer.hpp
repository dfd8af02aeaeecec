// SPDX-License-Identifier: Apache-2.0
//
// A signature from a command of the user's: how a key in a security module signs.
#pragma once

#include <string>
#include <vector>

#include "shim/base/bytes.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// Runs `command` by the shell with `message` on its standard input and gives what it writes to its
/// standard output, at most 4 KiB. A command that does not end with status 0 is a Failure.
[[nodiscard]] Outcome<std::vector<std::byte>> sign_by_command(const std::string& command,
                                                              Bytes message);

} // namespace tdshim::tools
