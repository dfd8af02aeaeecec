// SPDX-License-Identifier: Apache-2.0
#include "payload/runtime/address_space.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "payload/runtime/heap.hpp"
#include "payload/runtime/image.hpp"
#include "shim/platform/x86/instructions.hpp"

namespace tdshim::runtime {
namespace {

using memory::Access;

// A page for each GiB, and some for what is mapped by small pages.
constexpr std::size_t pool_pages = 96;
constexpr Gpa end_of_mapped{64 * GiB};
alignas(page_size) constinit std::array<memory::PageTables::Table, pool_pages> pool{};
constinit std::optional<memory::PageTables> tables;

bool is_memory(e820::Type type) {
    return type == e820::Type::memory || type == e820::Type::acpi || type == e820::Type::nvs;
}

Result<void> map_memory(const e820::Table& memory) {
    const std::array kept{GpaRange::of<0, page_size>(), image_range()};
    for (const e820::Entry& entry : memory) {
        const GpaRange range =
            GpaRange::between(entry.range.start(), std::min(entry.range.end(), end_of_mapped));
        if (is_memory(entry.type))
            for (const GpaRange& piece : TRY(without(range, kept)))
                TRY(tables->map(piece, Access::read_write));
    }
    return {};
}

Result<void> map_image() {
    TRY(tables->map(GpaRange::between(gpa_of(payload_text_begin), gpa_of(payload_text_end)),
                    Access::read_execute));
    TRY(tables->map(GpaRange::between(gpa_of(payload_rodata_begin), gpa_of(payload_rodata_end)),
                    Access::read));
    TRY(tables->map(
        GpaRange::between(gpa_of(payload_relocated_begin), gpa_of(payload_relocated_end)),
        Access::read));
    TRY(tables->map(GpaRange::between(gpa_of(payload_data_begin), gpa_of(&payload_stacks)),
                    Access::read_write));
    TRY(tables->map(range_of(payload_stacks.main), Access::read_write));
    TRY(tables->map(range_of(payload_stacks.exceptions), Access::read_write));
    return tables->map(GpaRange::between(gpa_of(&payload_stacks + 1), gpa_of(payload_data_end)),
                       Access::read_write);
}

} // namespace

Result<void> enter_address_space(const HobList& machine, const GpaRange& hob_list,
                                 std::uint64_t shared_bit) {
    tables.emplace(pool, gpa_of(&pool), shared_bit);
    TRY(tables->map(hob_list, Access::read));
    TRY(map_memory(machine.memory));
    TRY(map_image());
    x86::write_cr3(tables->root().value);
    return {};
}

std::uint64_t page_table_root() {
    return tables->root().value;
}

} // namespace tdshim::runtime

namespace tdshim::x86 {

Result<void> map(const GpaRange& range, memory::Access access) {
    TRY(runtime::tables->map(range, access));
    write_cr3(runtime::tables->root().value); // what was replaced may still be cached
    return {};
}

std::byte* pointer_to(Gpa address) {
    return reinterpret_cast<std::byte*>(address.value);
}

} // namespace tdshim::x86
