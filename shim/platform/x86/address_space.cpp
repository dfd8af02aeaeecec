// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/x86/address_space.hpp"

#include <array>
#include <cstddef>
#include <optional>

#include "shim/memory/layout.hpp"
#include "shim/platform/x86/instructions.hpp"
#include "shim/platform/x86/stacks.hpp"

// From the linker script.
extern "C" const std::byte shim_text_begin[], shim_text_end[];
extern "C" const std::byte shim_rodata_begin[], shim_rodata_end[];
extern "C" const std::byte shim_data_end[];

namespace tdshim::x86 {

// The linker script puts the stacks first in the shim's data.
[[gnu::section(".stacks")]] constinit Stacks stacks{};

namespace {

// A 2 MiB stretch with 4 KiB pages costs one page, a stretch of up to 1 GiB with large pages
// another.
constexpr std::size_t pool_pages = 96;
[[gnu::section(".kept")]] alignas(
    page_size) constinit std::array<memory::PageTables::Table, pool_pages> pool{};
[[gnu::section(".kept")]] constinit std::optional<memory::PageTables> tables;

Gpa gpa_of(const void* object) {
    return {reinterpret_cast<std::uint64_t>(object)};
}

GpaRange range_of(const auto& object) {
    return GpaRange::between(gpa_of(&object), gpa_of(&object + 1));
}

void load_tables() {
    write_cr3(tables->root().value);
}

} // namespace

ExceptionStacks exception_stacks() {
    ExceptionStacks tops{.boot = range_of(stacks.exceptions).end().value,
                         .double_fault = range_of(stacks.double_faults).end().value,
                         .workers = {}};
    for (std::size_t i = 0; i < max_workers; ++i)
        tops.workers[i] = range_of(stacks.workers[i].exceptions).end().value;
    return tops;
}

std::string_view overflowed_stack(std::uint64_t address) {
    return guarded_stack(address - gpa_of(&stacks).value);
}

bool is_in_exception(std::uint64_t stack_pointer) {
    return is_exception_stack(stack_pointer - gpa_of(&stacks).value);
}

Result<void> map(const GpaRange& range, memory::Access access) {
    TRY(tables->map(range, access));
    load_tables(); // a mapping that was replaced may still be cached
    return {};
}

std::byte* pointer_to(Gpa address) {
    return reinterpret_cast<std::byte*>(address.value);
}

Result<void> enter_address_space(std::uint64_t shared_bit) {
    tables.emplace(pool, gpa_of(&pool), shared_bit);
    using memory::Access;
    TRY(tables->map(GpaRange::between(gpa_of(shim_text_begin), gpa_of(shim_text_end)),
                    Access::read_execute));
    TRY(tables->map(GpaRange::between(gpa_of(shim_rodata_begin), gpa_of(shim_rodata_end)),
                    Access::read));
    TRY(tables->map(range_of(stacks.boot), Access::read_write));
    TRY(tables->map(range_of(stacks.exceptions), Access::read_write));
    TRY(tables->map(range_of(stacks.double_faults), Access::read_write));
    for (const WorkerStack& worker : stacks.workers) {
        TRY(tables->map(range_of(worker.exceptions), Access::read_write));
        TRY(tables->map(range_of(worker.stack), Access::read_write));
    }
    TRY(tables->map(GpaRange::between(gpa_of(&stacks + 1), gpa_of(shim_data_end)),
                    Access::read_write));
    TRY(tables->map(layout::mailbox, Access::read_write));
    // Another processor comes from the reset vector and goes back there.
    TRY(tables->map(layout::reset_vector, Access::read_execute));
    load_tables();
    return {};
}

void join_address_space() {
    load_tables();
}

} // namespace tdshim::x86
