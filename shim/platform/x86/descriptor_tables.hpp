// SPDX-License-Identifier: Apache-2.0
//
// GDT, TSSs and IDT [Intel SDM 3A, 3.4.5, 6.14, 8.7]. Every exception runs on a stack of its own,
// on each processor, so that an overflow still ends in a message; the first processor's #DF, which
// may mean that the exceptions' stack is what is broken, on a third. #VE alone goes on where it was
// raised. The selectors are those that Linux's 64-bit boot protocol asks for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "shim/platform/x86/stacks.hpp"

namespace tdshim::x86 {

inline constexpr std::uint16_t code_selector = 0x10;
inline constexpr std::uint16_t data_selector = 0x18;
inline constexpr std::uint16_t tss_selector = 0x20;

/// First addresses above the stacks that exceptions run on.
struct ExceptionStacks {
    std::uint64_t boot = 0;
    std::uint64_t double_fault = 0; ///< of the first processor
    std::array<std::uint64_t, max_workers> workers{};
};

/// Fills the tables for all processors and loads them on this one, the first.
void load_descriptor_tables(const ExceptionStacks& stacks);

/// Loads them on another one; `worker`, below max_workers, is its own.
void load_worker_descriptor_tables(std::size_t worker);

} // namespace tdshim::x86
