// SPDX-License-Identifier: Apache-2.0
//
// Descriptors, gates and the TSS as they stand in memory [Intel SDM 3A, 3.4.5, 6.14, 8.7], for the
// shim's tables and for payloads'. Selectors are those that Linux's 64-bit boot protocol asks for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "shim/platform/x86/descriptor_tables.hpp"

namespace tdshim::x86 {

struct [[gnu::packed]] TaskState {
    std::uint32_t reserved_0;
    std::array<std::uint64_t, 3> rsp;
    std::uint64_t reserved_28;
    std::array<std::uint64_t, 7> ist;
    std::uint64_t reserved_92;
    std::uint16_t reserved_100;
    std::uint16_t io_map_base;
};
static_assert(sizeof(TaskState) == 104);

struct Gate {
    std::uint16_t offset_low;
    std::uint16_t selector;
    std::uint8_t stack;
    std::uint8_t attributes;
    std::uint16_t offset_middle;
    std::uint32_t offset_high;
    std::uint32_t reserved;
};
static_assert(sizeof(Gate) == 16);

struct [[gnu::packed]] TablePointer {
    std::uint16_t limit;
    std::uint64_t base;
};

template <class T>
[[nodiscard]] TablePointer pointer_to(const T& table) {
    return {static_cast<std::uint16_t>(sizeof(T) - 1), reinterpret_cast<std::uint64_t>(&table)};
}

/// In the first half of a TSS's entry in the GDT: a processor has loaded it.
inline constexpr std::uint64_t busy_tss = std::uint64_t{2} << 40;

/// With a TSS each for `Tasks` processors.
template <std::size_t Tasks>
using Gdt = std::array<std::uint64_t, tss_selector / 8 + 2 * Tasks>;

/// Flat segments for the selectors of descriptor_tables.hpp; the TSSs follow from tss_selector on,
/// 16 bytes each.
template <std::size_t Tasks>
[[nodiscard]] Gdt<Tasks> make_gdt(const std::array<TaskState, Tasks>& task_states) {
    constexpr std::uint64_t flat_code_64bit = 0x00AF'9B00'0000'FFFF;
    constexpr std::uint64_t flat_data = 0x00CF'9300'0000'FFFF;
    constexpr std::uint64_t available_tss = 0x89; // present, type 9
    Gdt<Tasks> gdt{};
    gdt[code_selector / 8] = flat_code_64bit;
    gdt[data_selector / 8] = flat_data;
    for (std::size_t i = 0; i < Tasks; ++i) {
        const auto base = reinterpret_cast<std::uint64_t>(&task_states[i]);
        const std::size_t entry = tss_selector / 8 + 2 * i;
        gdt[entry] = (sizeof(TaskState) - 1) | (base & 0xFF'FFFF) << 16 | available_tss << 40 |
                     (base >> 24 & 0xFF) << 56;
        gdt[entry + 1] = base >> 32;
    }
    return gdt;
}

/// `stack`: number of an interrupt stack of the TSS, 0 for the stack that is in use.
[[nodiscard]] inline Gate gate(std::uint64_t handler, std::uint8_t stack) {
    constexpr std::uint8_t interrupt_gate = 0x8E; // present, type 14
    return {.offset_low = static_cast<std::uint16_t>(handler),
            .selector = code_selector,
            .stack = stack,
            .attributes = interrupt_gate,
            .offset_middle = static_cast<std::uint16_t>(handler >> 16),
            .offset_high = static_cast<std::uint32_t>(handler >> 32),
            .reserved = 0};
}

/// Loads a GDT of make_gdt() and its segments.
inline void load_gdt(const TablePointer& gdt) {
    asm volatile("lgdt %0\n\t"
                 "pushq %1\n\t"
                 "leaq 1f(%%rip), %%rax\n\t"
                 "pushq %%rax\n\t"
                 "lretq\n"
                 "1:\n\t"
                 "mov %w2, %%ds\n\t"
                 "mov %w2, %%es\n\t"
                 "mov %w2, %%fs\n\t"
                 "mov %w2, %%gs\n\t"
                 "mov %w2, %%ss"
                 :
                 : "m"(gdt), "i"(code_selector), "r"(data_selector)
                 : "rax", "memory");
}

} // namespace tdshim::x86
