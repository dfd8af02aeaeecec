// SPDX-License-Identifier: Apache-2.0
//
// Exceptions: the shim provokes none, so each one prints what happened and ends
// the machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tdshim::x86 {

inline constexpr std::size_t exception_count = 32;

/// Address of the handler for the IDT. `vector` is below exception_count.
[[nodiscard]] std::uint64_t exception_handler(std::size_t vector);

} // namespace tdshim::x86
