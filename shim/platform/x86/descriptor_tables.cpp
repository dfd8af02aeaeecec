// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/x86/descriptor_tables.hpp"

#include <array>

#include "shim/platform/td/td.hpp"
#include "shim/platform/td/virtualization_exception.hpp"
#include "shim/platform/x86/descriptors.hpp"
#include "shim/platform/x86/exceptions.hpp"
#include "shim/platform/x86/stacks.hpp"

namespace tdshim::x86 {
namespace {

constexpr std::uint8_t exception_stack = 1; // IST1
constexpr std::uint8_t double_fault_stack = 2;
constexpr std::uint8_t current_stack = 0;
constexpr std::size_t double_fault = 8;

// A processor may load only a task register that no other one has loaded: each has a TSS, which
// takes two entries of the GDT. The first processor's is the first.
constexpr std::size_t tasks = 1 + max_workers;
[[gnu::section(".kept")]] constinit Gdt<tasks> gdt{};
[[gnu::section(".kept")]] constinit std::array<TaskState, tasks> task_states{};
[[gnu::section(".kept")]] constinit std::array<Gate, exception_count> idt{};

/// Of the TSS number `task`.
std::uint16_t selector_of(std::size_t task) {
    return static_cast<std::uint16_t>(tss_selector + 16 * task);
}

void fill_task_states(const ExceptionStacks& stacks) {
    for (std::size_t i = 0; i < tasks; ++i) {
        const std::uint64_t top = i == 0 ? stacks.boot : stacks.workers[i - 1];
        task_states[i].ist[exception_stack - 1] = top;
        task_states[i].ist[double_fault_stack - 1] = i == 0 ? stacks.double_fault : top;
        task_states[i].io_map_base = sizeof(TaskState);
    }
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
    gdt = make_gdt(task_states);
    fill_idt();
    const TablePointer gdt_pointer = pointer_to(gdt);
    const TablePointer idt_pointer = pointer_to(idt);
    load_gdt(gdt_pointer);
    asm volatile("ltr %w1\n\t"
                 "lidt %0"
                 :
                 : "m"(idt_pointer), "r"(tss_selector));
}

// A worker before this one may have left the TSS busy, which cannot be loaded. The segment
// registers hold what the reset vector gave them, and no gate changes the code segment: its
// selector is the same in both GDTs.
void load_worker_descriptor_tables(std::size_t worker) {
    const TablePointer gdt_pointer = pointer_to(gdt);
    const TablePointer idt_pointer = pointer_to(idt);
    gdt[selector_of(1 + worker) / 8] &= ~busy_tss;
    asm volatile("lgdt %0\n\t"
                 "ltr %w2\n\t"
                 "lidt %1"
                 :
                 : "m"(gdt_pointer), "m"(idt_pointer), "r"(selector_of(1 + worker))
                 : "memory");
}

} // namespace tdshim::x86
