// SPDX-License-Identifier: Apache-2.0
//
// What the boot leaves in the shim's data: the VMM's directory of items, its numbers, pieces of its
// files on the stacks. Nobody measured all of that, and a payload could be led to it.
#pragma once

#include <cstdint>

namespace tdshim::x86 {

/// Clears the shim's data but for page tables, descriptor tables and what an exception's one line
/// needs (section .kept), and all stacks but what the caller's caller has on its own. No other
/// processor may be in the shim.
void clear_remains();

/// Clears the boot's stack, too, and jumps to `entry` with `argument` in RSI and a stack of zeros.
[[noreturn]] void leave(std::uint64_t entry, std::uint64_t argument);

} // namespace tdshim::x86
