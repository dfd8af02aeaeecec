// SPDX-License-Identifier: Apache-2.0
//
// The files that a command reads, so that none of them is written over by what it makes of them:
// `-o key.pem` beside `--key key.pem` would leave nobody the key.
#pragma once

#include <string>

namespace tdshim::tools {

/// Notes what is open here, if it is a file; a device or a pipe is no loss.
void note_input(int descriptor);

/// The same for a file that another program reads; nothing where there is none.
void note_input(const std::string& file);

/// Whether that is a file that was noted, under whatever name.
[[nodiscard]] bool is_input(const std::string& file);

} // namespace tdshim::tools
