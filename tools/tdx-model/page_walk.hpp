// SPDX-License-Identifier: Apache-2.0
//
// Everything that page tables translate, read as a processor reads them [Intel SDM 3A, 4.5]: for
// who wants to know what code could reach, and not only what it did reach. Pure: memory is behind a
// callback.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <vector>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"

namespace tdshim::tdx_model {

/// Pages that follow each other, in linear and in physical addresses, with the same rights through
/// all levels.
struct Translation {
    std::uint64_t linear = 0; ///< canonical
    std::uint64_t size = 0;   ///< bytes
    std::uint64_t physical = 0;
    bool writable = false;
    bool executable = false;
    bool user = false;

    [[nodiscard]] std::uint64_t end() const { return linear + size; }
    [[nodiscard]] bool has(std::uint64_t address) const { return address - linear < size; }
    [[nodiscard]] bool overlaps(const GpaRange& range) const {
        return linear < range.end().value && range.start().value < end();
    }
    bool operator==(const Translation&) const = default;
};

using PageTable = std::array<le64, 512>;
/// Reads the table at a physical address. False where there is no memory.
using ReadPageTable = std::function<bool(Gpa table, PageTable& content)>;

/// So many tables are read at most: those that lead back to themselves have no end.
inline constexpr std::size_t max_walked_tables = 1 << 16;

/// All translations of the tables below `root`, which have 4 or 5 levels, by linear address. The
/// error is the table that could not be read, or was one too many.
[[nodiscard]] std::expected<std::vector<Translation>, Gpa>
walk_page_tables(Gpa root, unsigned levels, const ReadPageTable& read);

} // namespace tdshim::tdx_model
