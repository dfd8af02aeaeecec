// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/x86/descriptor_tables.hpp"

#include <array>

#include "shim/platform/td/td.hpp"
#include "shim/platform/td/virtualization_exception.hpp"
#include "shim/platform/x86/exceptions.hpp"
#include "shim/platform/x86/stacks.hpp"

namespace tdshim::x86 {
namespace {

constexpr std::uint64_t flat_code_64bit = 0x00AF'9B00'0000'FFFF;
constexpr std::uint64_t flat_data = 0x00CF'9300'0000'FFFF;
constexpr std::uint64_t available_tss = 0x89; // present, type 9
constexpr std::uint8_t interrupt_gate = 0x8E; // present, type 14
constexpr std::uint8_t exception_stack = 1;   // IST1
constexpr std::uint8_t double_fault_stack = 2;
constexpr std::uint8_t current_stack = 0;
constexpr std::size_t double_fault = 8;

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

// A processor may load only a task register that no other one has loaded: each has a TSS, which
// takes two entries of the GDT. The first processor's is the first.
constexpr std::size_t tasks = 1 + max_workers;
constinit std::array<std::uint64_t, tss_selector / 8 + 2 * tasks> gdt{};
constinit std::array<TaskState, tasks> task_states{};
constinit std::array<Gate, exception_count> idt{};

std::uint64_t address_of(const auto& object) {
    return reinterpret_cast<std::uint64_t>(&object);
}

template <class T>
TablePointer pointer_to(const T& table) {
    return {static_cast<std::uint16_t>(sizeof(T) - 1), address_of(table)};
}

/// Of the TSS number `task`.
std::uint16_t selector_of(std::size_t task) {
    return static_cast<std::uint16_t>(tss_selector + 16 * task);
}

void fill_gdt() {
    gdt[code_selector / 8] = flat_code_64bit;
    gdt[data_selector / 8] = flat_data;
    for (std::size_t i = 0; i < tasks; ++i) {
        const std::uint64_t base = address_of(task_states[i]);
        const std::size_t entry = selector_of(i) / 8;
        gdt[entry] = (sizeof(TaskState) - 1) | (base & 0xFF'FFFF) << 16 | available_tss << 40 |
                     (base >> 24 & 0xFF) << 56;
        gdt[entry + 1] = base >> 32;
    }
}

void fill_task_states(const ExceptionStacks& stacks) {
    for (std::size_t i = 0; i < tasks; ++i) {
        const std::uint64_t top = i == 0 ? stacks.boot : stacks.workers[i - 1];
        task_states[i].ist[exception_stack - 1] = top;
        task_states[i].ist[double_fault_stack - 1] = i == 0 ? stacks.double_fault : top;
        task_states[i].io_map_base = sizeof(TaskState);
    }
}

Gate gate(std::uint64_t handler, std::uint8_t stack) {
    return {.offset_low = static_cast<std::uint16_t>(handler),
            .selector = code_selector,
            .stack = stack,
            .attributes = interrupt_gate,
            .offset_middle = static_cast<std::uint16_t>(handler >> 16),
            .offset_high = static_cast<std::uint32_t>(handler >> 32),
            .reserved = 0};
}

void fill_idt() {
    for (std::size_t vector = 0; vector < exception_count; ++vector)
        idt[vector] = gate(exception_handler(vector),
                           vector == double_fault ? double_fault_stack : exception_stack);
    // It goes on where it was raised, so one that is raised in an exception must not start over.
    if (td::active())
        idt[td::ve_vector] = gate(td::ve_handler(), current_stack);
}

} // namespace

void load_descriptor_tables(const ExceptionStacks& stacks) {
    fill_task_states(stacks);
    fill_gdt();
    fill_idt();
    const TablePointer gdt_pointer = pointer_to(gdt);
    const TablePointer idt_pointer = pointer_to(idt);
    asm volatile("lgdt %0\n\t"
                 "pushq %2\n\t"
                 "leaq 1f(%%rip), %%rax\n\t"
                 "pushq %%rax\n\t"
                 "lretq\n"
                 "1:\n\t"
                 "mov %w3, %%ds\n\t"
                 "mov %w3, %%es\n\t"
                 "mov %w3, %%fs\n\t"
                 "mov %w3, %%gs\n\t"
                 "mov %w3, %%ss\n\t"
                 "ltr %w4\n\t"
                 "lidt %1"
                 :
                 : "m"(gdt_pointer), "m"(idt_pointer), "i"(code_selector), "r"(data_selector),
                   "r"(tss_selector)
                 : "rax", "memory");
}

// The segment registers hold what the reset vector gave them, and no gate changes the code segment:
// its selector is the same in both GDTs.
void load_worker_descriptor_tables(std::size_t worker) {
    const TablePointer gdt_pointer = pointer_to(gdt);
    const TablePointer idt_pointer = pointer_to(idt);
    asm volatile("lgdt %0\n\t"
                 "ltr %w2\n\t"
                 "lidt %1"
                 :
                 : "m"(gdt_pointer), "m"(idt_pointer), "r"(selector_of(1 + worker)));
}

} // namespace tdshim::x86
