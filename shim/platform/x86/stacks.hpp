// SPDX-License-Identifier: Apache-2.0
//
// The shim's stacks, with pages between them that stay unmapped: an overflow is a page fault, not
// silent corruption.
#pragma once

#include <array>
#include <cstddef>

#include "shim/base/gpa.hpp"

namespace tdshim::x86 {

using Page = std::array<std::byte, page_size>;

/// For another processor of a TD.
struct WorkerStack {
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
    std::array<WorkerStack, max_workers> workers;
    Page guard_above;
};

/// Where the entry code points RSP; names for the assembler.
inline constexpr std::size_t boot_stack_top = offsetof(Stacks, guard_below_exceptions);
inline constexpr std::size_t worker_stacks_offset = offsetof(Stacks, workers);

} // namespace tdshim::x86
