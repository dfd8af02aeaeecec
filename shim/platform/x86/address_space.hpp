// SPDX-License-Identifier: Apache-2.0
//
// What the shim can reach: its own segments with their permissions, and whatever memory the boot
// asked for. Everything else, the null page and the pages around the stacks among it, is absent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shim/base/error.hpp"
#include "shim/base/gpa.hpp"
#include "shim/memory/page_tables.hpp"
#include "shim/platform/x86/descriptor_tables.hpp"

namespace tdshim::x86 {

/// Leaves the reset vector's page tables for those of the shim's own segments. `shared_bit`: see
/// memory::PageTables. Errors: page_tables_full.
[[nodiscard]] Result<void> enter_address_space(std::uint64_t shared_bit);

/// The same for another processor, which shares them.
void join_address_space();

/// Maps `range` at its own address. Errors: page_tables_full, range_wraps.
[[nodiscard]] Result<void> map(const GpaRange& range, memory::Access access);

/// Where the memory at `address` is once it is mapped: at its own address.
[[nodiscard]] std::byte* pointer_to(Gpa address);

/// First addresses above the stacks that exceptions run on.
[[nodiscard]] ExceptionStacks exception_stacks();

/// The stack that overflows with an access to `address`; empty when it is in no guard page.
[[nodiscard]] std::string_view overflowed_stack(std::uint64_t address);

/// Whether `stack_pointer` is in a stack that only exceptions use.
[[nodiscard]] bool is_in_exception(std::uint64_t stack_pointer);

} // namespace tdshim::x86
