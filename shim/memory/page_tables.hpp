// SPDX-License-Identifier: Apache-2.0
//
// Identity page tables as data [Intel SDM 3A, 4.5, 4-level paging]: built in a pool of pages, in
// the firmware and in host tests alike. What was not mapped is absent; nothing is both writable and
// executable unless a caller asks for exactly that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "shim/base/error.hpp"
#include "shim/base/gpa.hpp"

namespace tdshim::memory {

enum class Access {
    read,               ///< constants
    read_write,         ///< data
    read_execute,       ///< code
    read_write_execute, ///< only a Linux kernel's own memory, which it lays out itself
    shared_read_write,  ///< what a TD shows to its VMM
};

class PageTables {
  public:
    using Table = std::array<std::uint64_t, 512>;
    static_assert(sizeof(Table) == page_size);

    /// Tables are taken from `pool`, whose first page stands at `pool_address`; it must be zero.
    /// `shared_bit` is the address bit by which a TD names memory that the VMM shares; 0 in a VM.
    PageTables(std::span<Table> pool, Gpa pool_address, std::uint64_t shared_bit = 0);

    /// Maps `range`, widened to whole pages, with large pages where they fit; what was mapped there
    /// before is replaced. Errors: page_tables_full; range_wraps beyond 2^47.
    [[nodiscard]] Result<void> map(const GpaRange& range, Access access);

    /// Value for CR3.
    [[nodiscard]] Gpa root() const { return pool_address_; }
    [[nodiscard]] std::size_t pages_used() const { return used_; }

    /// The leaf entry that translates `address`, 0 when it is not mapped.
    [[nodiscard]] std::uint64_t leaf(Gpa address) const;

    static constexpr std::uint64_t present = 1 << 0;
    static constexpr std::uint64_t writable = 1 << 1;
    static constexpr std::uint64_t accessed = 1 << 5;
    static constexpr std::uint64_t dirty = 1 << 6;
    static constexpr std::uint64_t large = 1 << 7;
    static constexpr std::uint64_t no_execute = std::uint64_t{1} << 63;

  private:
    [[nodiscard]] Result<Table*> next_level(std::uint64_t& entry, std::uint64_t entry_span);
    [[nodiscard]] Table& table_of(std::uint64_t entry) const;
    [[nodiscard]] Result<void> map_page(std::uint64_t address, std::uint64_t size,
                                        std::uint64_t flags);

    std::span<Table> pool_;
    Gpa pool_address_;
    std::uint64_t shared_bit_;
    std::size_t used_ = 1;
};

} // namespace tdshim::memory
