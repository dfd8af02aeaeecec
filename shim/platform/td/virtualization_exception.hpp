// SPDX-License-Identifier: Apache-2.0
//
// #VE: what the shim may meet without asking for it, CPUID, port I/O, MSR accesses and HLT, is
// asked of the VMM [Intel TDX Module 1.5 ABI, virtualization exceptions; GHCI 2.4]. Everything else
// stops the TD: a #VE on memory, above all, is a VMM that took a page away.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tdshim::td {

inline constexpr std::size_t ve_vector = 20;

/// Address of the handler, for the IDT. It runs on the stack of whoever raised the exception.
[[nodiscard]] std::uint64_t ve_handler();

} // namespace tdshim::td
