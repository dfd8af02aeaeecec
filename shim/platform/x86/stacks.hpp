// SPDX-License-Identifier: Apache-2.0
//
// The shim's stacks, with pages between them that stay unmapped: an overflow is a page fault, not
// silent corruption.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "shim/base/gpa.hpp"

namespace tdshim::x86 {

using Page = std::array<std::byte, page_size>;

/// For another processor of a TD.
struct WorkerStack {
    Page guard_below_exceptions;
    std::array<Page, 1> exceptions;
    Page guard;
    std::array<Page, 2> stack;
};

/// As many other processors can work at once; more go on waiting.
inline constexpr std::size_t max_workers = 15;

struct alignas(page_size) Stacks {
    Page guard_below_boot;
    std::array<Page, 16> boot;
    Page guard_below_exceptions;
    std::array<Page, 2> exceptions;
    Page guard_below_double_faults;
    std::array<Page, 1> double_faults;
    std::array<WorkerStack, max_workers> workers;
    Page guard_above;
};

/// Where the entry code points RSP; names for the assembler.
inline constexpr std::size_t boot_stack_top = offsetof(Stacks, guard_below_exceptions);
inline constexpr std::size_t worker_stacks_offset = offsetof(Stacks, workers);

/// The stack whose guard page, the one below it, has the byte at `offset` of the Stacks; empty for
/// any other byte.
[[nodiscard]] constexpr std::string_view guarded_stack(std::uint64_t offset) {
    const auto is_in = [&](std::size_t page) { return offset - page < page_size; };
    if (is_in(offsetof(Stacks, guard_below_boot)))
        return "boot";
    if (is_in(offsetof(Stacks, guard_below_exceptions)))
        return "exceptions";
    if (is_in(offsetof(Stacks, guard_below_double_faults)))
        return "double faults";
    if (offset < worker_stacks_offset || offset >= offsetof(Stacks, guard_above))
        return {};
    const std::uint64_t in_worker = (offset - worker_stacks_offset) % sizeof(WorkerStack);
    if (in_worker < page_size)
        return "worker exceptions";
    if (in_worker - offsetof(WorkerStack, guard) < page_size)
        return "worker";
    return {};
}

/// Whether the byte at `offset` of the Stacks, or the one in front of it, is in a stack that only
/// exceptions use.
[[nodiscard]] constexpr bool is_exception_stack(std::uint64_t offset) {
    if (offset > offsetof(Stacks, exceptions) && offset <= worker_stacks_offset)
        return true;
    if (offset <= worker_stacks_offset || offset > offsetof(Stacks, guard_above))
        return false;
    const std::uint64_t in_worker = (offset - worker_stacks_offset) % sizeof(WorkerStack);
    return in_worker > page_size && in_worker <= offsetof(WorkerStack, guard);
}

} // namespace tdshim::x86
