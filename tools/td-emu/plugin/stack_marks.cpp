// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/stack_marks.hpp"

#include <format>

#include "shim/memory/layout.hpp"
#include "tools/td-emu/plugin/engine.hpp"

namespace tdshim::td_emu {
namespace {

// The linker script puts the stacks first in the shim's data.
constexpr std::uint64_t first = layout::shim_data.start().value;

std::string name_of(std::size_t stack) {
    switch (stack) {
    case 0: return "boot";
    case 1: return "exceptions";
    case 2: return "double faults";
    default:
        return std::format("worker {}{}", (stack - 1) / 2, stack % 2 == 1 ? "" : " exceptions");
    }
}

} // namespace

StackMarks::StackMarks() {
    using x86::Stacks;
    using x86::WorkerStack;
    const auto set = [&](std::size_t index, std::size_t offset, std::size_t size) {
        stacks_[index].bottom = first + offset;
        stacks_[index].top = stacks_[index].lowest = first + offset + size;
    };
    set(0, offsetof(Stacks, boot), sizeof(Stacks::boot));
    set(1, offsetof(Stacks, exceptions), sizeof(Stacks::exceptions));
    set(2, offsetof(Stacks, double_faults), sizeof(Stacks::double_faults));
    for (std::size_t i = 0; i < x86::max_workers; ++i) {
        const std::size_t worker = offsetof(Stacks, workers) + i * sizeof(WorkerStack);
        set(3 + 2 * i, worker + offsetof(WorkerStack, stack), sizeof(WorkerStack::stack));
        set(4 + 2 * i, worker + offsetof(WorkerStack, exceptions), sizeof(WorkerStack::exceptions));
    }
}

void StackMarks::note(std::uint64_t address) {
    if (address - first >= sizeof(x86::Stacks))
        return;
    for (Stack& stack : stacks_)
        if (address >= stack.bottom && address < stack.top) {
            if (address >= stack.lowest.load(std::memory_order_relaxed))
                return;
            // What PUSH and CALL write is below RSP while they are executed.
            const std::uint64_t pointer = read_stack_pointer();
            if (pointer >= stack.bottom && pointer <= address + sizeof(pointer))
                stack.lowest.store(address, std::memory_order_relaxed);
            return;
        }
}

std::vector<StackUse> StackMarks::uses() const {
    std::vector<StackUse> uses;
    for (std::size_t i = 0; i < stacks_.size(); ++i)
        if (stacks_[i].lowest < stacks_[i].top)
            uses.push_back({name_of(i), stacks_[i].top - stacks_[i].bottom,
                            stacks_[i].top - stacks_[i].lowest});
    return uses;
}

} // namespace tdshim::td_emu
