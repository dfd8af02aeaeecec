// SPDX-License-Identifier: Apache-2.0
#include "shim/memory/page_tables.hpp"

namespace tdshim::memory {
namespace {

constexpr std::uint64_t address_mask = 0x000F'FFFF'FFFF'F000;
constexpr std::uint64_t linear_limit = std::uint64_t{1}
                                       << 47; // the lower half of canonical addresses

/// Bytes that one entry covers at the levels of PML4, PDPT, PD and PT.
constexpr std::array<std::uint64_t, 4> span_of_level{512 * GiB, GiB, large_page_size, page_size};

std::size_t index_of(std::uint64_t address, std::uint64_t span) {
    return (address / span) % 512;
}

// Accessed and dirty are set beforehand: nothing here reads them, and the CPU need not write.
std::uint64_t flags_of(Access access) {
    constexpr std::uint64_t base = PageTables::present | PageTables::accessed | PageTables::dirty;
    switch (access) {
    case Access::read: return base | PageTables::no_execute;
    case Access::read_write:
    case Access::shared_read_write: return base | PageTables::writable | PageTables::no_execute;
    case Access::read_execute: return base;
    case Access::read_write_execute: return base | PageTables::writable;
    }
    return 0;
}

} // namespace

PageTables::PageTables(std::span<Table> pool, Gpa pool_address, std::uint64_t shared_bit)
    : pool_(pool), pool_address_(pool_address), shared_bit_(shared_bit) {}

PageTables::Table& PageTables::table_of(std::uint64_t entry) const {
    return pool_[((entry & address_mask) - pool_address_.value) / page_size];
}

/// The table that `entry` leads to; made when there is none, and made from the large page's pieces
/// when there is one of `entry_span` bytes.
Result<PageTables::Table*> PageTables::next_level(std::uint64_t& entry, std::uint64_t entry_span) {
    if ((entry & present) != 0 && (entry & large) == 0)
        return &table_of(entry);
    if (used_ == pool_.size())
        return refuse(Fault::page_tables_full, 0, pool_.size() + 1, pool_.size());
    Table& table = pool_[used_];
    if ((entry & large) != 0)
        for (std::size_t i = 0; i < table.size(); ++i)
            table[i] = (entry & ~large) + i * (entry_span / table.size());
    entry = (pool_address_.value + used_ * page_size) | present | writable | accessed;
    ++used_;
    return &table;
}

Result<void> PageTables::map_page(std::uint64_t address, std::uint64_t size, std::uint64_t flags) {
    Table* table = pool_.data();
    for (const std::uint64_t span : span_of_level) {
        std::uint64_t& entry = (*table)[index_of(address, span)];
        if (span == size) {
            entry = address | flags | (size == page_size ? 0 : large);
            return {};
        }
        table = TRY(next_level(entry, span));
    }
    return {};
}

Result<void> PageTables::map(const GpaRange& range, Access access) {
    if (range.empty())
        return {};
    const auto end = align_up(range.end().value, page_size);
    if (!end || *end > linear_limit)
        return refuse(Fault::range_wraps, range.start().value, linear_limit, range.end().value);
    const std::uint64_t flags =
        flags_of(access) | (access == Access::shared_read_write ? shared_bit_ : 0);
    std::uint64_t address = align_down(range.start().value, page_size);
    while (address < *end) {
        const bool fits = is_aligned(address, large_page_size) && *end - address >= large_page_size;
        const std::uint64_t size = fits ? large_page_size : page_size;
        TRY(map_page(address, size, flags));
        address += size;
    }
    return {};
}

std::uint64_t PageTables::leaf(Gpa address) const {
    const Table* table = pool_.data();
    for (const std::uint64_t span : span_of_level) {
        const std::uint64_t entry = (*table)[index_of(address.value, span)];
        if ((entry & present) == 0)
            return 0;
        if (span == page_size || (entry & large) != 0)
            return entry;
        table = &table_of(entry);
    }
    return 0;
}

} // namespace tdshim::memory
