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

struct alignas(page_size) Stacks {
    Page guard_below_boot;
    std::array<Page, 16> boot;
    Page guard_below_exceptions;
    std::array<Page, 2> exceptions;
    Page guard_above;
};

/// Where the entry code points RSP; a name for the assembler.
inline constexpr std::size_t boot_stack_top = offsetof(Stacks, guard_below_exceptions);

} // namespace tdshim::x86
