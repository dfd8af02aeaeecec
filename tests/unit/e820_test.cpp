// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/e820: the 20-byte entries of ACPI's memory map, sorted and checked, and every map
// that contradicts itself.

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <limits>

#include "shim/formats/e820/e820.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::e820 { namespace {

using namespace tdshim::test;

constexpr std::size_t entry_size = 20;
constexpr std::uint64_t top = std::numeric_limits<std::uint64_t>::max();

/// A map that is put together entry by entry.
class Map {
  public:
    Map& entry(std::uint64_t address, std::uint64_t size, std::uint32_t type = 1) {
        blob_.u64(address).u64(size).u32(type);
        return *this;
    }
    [[nodiscard]] Bytes view() const { return blob_.view(); }

  private:
    Blob blob_;
};

Table parsed(const Map& map) {
    const auto table = parse(map.view());
    REQUIRE(table.has_value());
    return *table;
}

void check_entry(const Entry& entry, std::uint64_t address, std::uint64_t size,
                 std::uint32_t type) {
    CHECK(entry.range.start().value == address);
    CHECK(entry.range.size() == size);
    CHECK(static_cast<std::uint32_t>(entry.type) == type);
}

/// `map` holds one entry.
void check_only(const Map& map, std::uint64_t address, std::uint64_t size, std::uint32_t type) {
    const Table table = parsed(map);
    REQUIRE(table.size() == 1);
    check_entry(table[0], address, size, type);
}

/// `count` entries of one page each, with a page between them.
Map pages(std::uint64_t count) {
    Map map;
    for (std::uint64_t i = 0; i < count; ++i)
        map.entry(i * 0x2000, 0x1000);
    return map;
}

TEST_CASE("types have the numbers of ACPI", "[e820]") {
    STATIC_CHECK(static_cast<std::uint32_t>(Type::memory) == 1);
    STATIC_CHECK(static_cast<std::uint32_t>(Type::reserved) == 2);
    STATIC_CHECK(static_cast<std::uint32_t>(Type::acpi) == 3);
    STATIC_CHECK(static_cast<std::uint32_t>(Type::nvs) == 4);
    STATIC_CHECK(static_cast<std::uint32_t>(Type::unusable) == 5);
}

TEST_CASE("an entry is address, size and type, little-endian", "[e820]") {
    const Blob map = Blob().dump("00 00 10 00 00 00 00 00 00 00 F0 7F 01 00 00 00 02 00 00 00");
    const auto table = parse(map.view());
    REQUIRE(table.has_value());
    REQUIRE(table->size() == 1);
    check_entry((*table)[0], 0x100000, 0x17FF00000, 2);
}

TEST_CASE("entries come out sorted by address", "[e820]") {
    const Table table = parsed(Map()
                                   .entry(0x1'0000'0000, 0x4000'0000, 1)
                                   .entry(0, 0xA0000, 1)
                                   .entry(0xFFFC'0000, 0x4'0000, 2)
                                   .entry(0x10'0000, 0x7FF0'0000, 1));
    REQUIRE(table.size() == 4);
    check_entry(table[0], 0, 0xA0000, 1);
    check_entry(table[1], 0x10'0000, 0x7FF0'0000, 1);
    check_entry(table[2], 0xFFFC'0000, 0x4'0000, 2);
    check_entry(table[3], 0x1'0000'0000, 0x4000'0000, 1);
}

TEST_CASE("a type without a name is kept as it is", "[e820]") {
    for (const std::uint32_t type : {0U, 3U, 4U, 5U, 6U, 7U, 12U, 0xFFFFFFFFU})
        check_only(Map().entry(0x1000, 0x1000, type), 0x1000, 0x1000, type);
}

TEST_CASE("an empty map has no entries", "[e820]") {
    CHECK(parsed(Map()).empty());
}

TEST_CASE("entries may touch but not overlap", "[e820]") {
    CHECK(parsed(Map().entry(0x1000, 0x1000).entry(0x2000, 0x1000, 2)).size() == 2);
    require_refused(parse(Map().entry(0x1000, 0x1001).entry(0x2000, 0x1000, 2).view()),
                    Fault::e820_overlap, 0x2000, 0x2001, 0x2000);
    require_refused(parse(Map().entry(0x1FFF, 0x1000).entry(0x1000, 0x1000, 2).view()),
                    Fault::e820_overlap, 0x1FFF, 0x2000, 0x1FFF);
}

TEST_CASE("an entry inside another or twice the same is refused", "[e820]") {
    require_refused(parse(Map().entry(0x1000, 0x8000).entry(0x4000, 0x1000, 2).view()),
                    Fault::e820_overlap, 0x4000, 0x9000, 0x4000);
    require_refused(parse(Map().entry(0x4000, 0x1000).entry(0x4000, 0x1000).view()),
                    Fault::e820_overlap, 0x4000, 0x5000, 0x4000);
}

TEST_CASE("an overlap is seen across entries that stand between in the file", "[e820]") {
    require_refused(parse(Map()
                              .entry(0x10000, 0x1000)
                              .entry(0x0, 0x8000)
                              .entry(0x20000, 0x1000)
                              .entry(0x7FFF, 0x10, 2)
                              .view()),
                    Fault::e820_overlap, 0x7FFF, 0x8000, 0x7FFF);
}

TEST_CASE("an entry of size zero is refused at its offset", "[e820]") {
    require_refused(parse(Map().entry(0, 0).view()), Fault::e820_entry_empty, 0, 0, 0);
    require_refused(parse(Map().entry(0, 1).entry(0x1000, 1).entry(0x2000, 0).view()),
                    Fault::e820_entry_empty, 2 * entry_size, 0, 0);
}

TEST_CASE("an entry that wraps around is refused", "[e820]") {
    require_refused(parse(Map().entry(top, 1).view()), Fault::range_wraps, top, 0, 1);
    require_refused(parse(Map().entry(0x1000, top).view()), Fault::range_wraps, 0x1000,
                    top - 0x1000, top);
    require_refused(parse(Map().entry(0xFFFFFFFFFFFFF000, 0x2000).view()), Fault::range_wraps,
                    0xFFFFFFFFFFFFF000, 0xFFF, 0x2000);
    check_only(Map().entry(1, top - 1), 1, top - 1, 1);
}

TEST_CASE("a map that is not whole entries is refused", "[e820]") {
    const Map map = pages(3);
    for (const std::size_t size : {1UZ, 4UZ, 19UZ, 21UZ, 36UZ, 59UZ})
        require_refused(parse(map.view().first(size)), Fault::e820_size, size, entry_size,
                        size % entry_size);
    CHECK(parse(map.view().first(40)).has_value());
}

TEST_CASE("as many entries as Linux takes are read and one more is refused", "[e820]") {
    STATIC_CHECK(max_entries == 128);
    CHECK(parsed(pages(128)).size() == 128);
    require_refused(parse(pages(129).view()), Fault::too_many_entries, 128 * entry_size, 128, 129);
    require_refused(parse(pages(300).view()), Fault::too_many_entries, 128 * entry_size, 128, 300);
}

}} // namespace tdshim::e820
