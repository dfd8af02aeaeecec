// SPDX-License-Identifier: Apache-2.0
//
// The boot, from a running C++ environment to the payload's first instruction.
#pragma once

namespace tdshim::boot {

/// Starts the payload or refuses to, with one line on the console, error separators in the
/// registers and the end of the machine.
[[noreturn]] void boot();

} // namespace tdshim::boot
