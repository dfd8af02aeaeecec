// SPDX-License-Identifier: Apache-2.0
//
// GDT, TSS and IDT [Intel SDM 3A, 3.4.5, 6.14, 8.7]. Every exception runs on a stack of its own, so
// that an overflow of the boot's stack still ends in a message. The selectors are those that
// Linux's 64-bit boot protocol asks for.
#pragma once

#include <cstdint>

namespace tdshim::x86 {

inline constexpr std::uint16_t code_selector = 0x10;
inline constexpr std::uint16_t data_selector = 0x18;
inline constexpr std::uint16_t tss_selector = 0x20;

/// Loads GDT, TSS and IDT. `exception_stack_top` is the first address above the exceptions' stack.
void load_descriptor_tables(std::uint64_t exception_stack_top);

/// The same for another processor, which has no stack for exceptions alone.
void load_worker_descriptor_tables();

} // namespace tdshim::x86
