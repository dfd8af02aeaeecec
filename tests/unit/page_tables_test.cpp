// SPDX-License-Identifier: Apache-2.0
//
// shim/memory/page_tables.hpp: the tables as a processor would read them. A walker of the test's
// own, written from Intel SDM 3A, 4.5, lists every translation that the tables hold.

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "shim/memory/page_tables.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::memory { namespace {

using namespace tdshim::test;

constexpr std::uint64_t pool_address = 0xA00000;
constexpr std::uint64_t no_execute_bit = std::uint64_t{1} << 63;
constexpr std::uint64_t page = 0x1000;
constexpr std::uint64_t large_page = 0x200000;

/// What a leaf says, with the rights of all levels joined.
struct Leaf {
    std::uint64_t physical;
    std::uint64_t size;
    bool writable;
    bool executable;
    bool operator==(const Leaf&) const = default;
};

using Translations = std::map<std::uint64_t, Leaf>; // by virtual address

class Fixture {
  public:
    explicit Fixture(std::size_t pages = 16) : pool_(pages), tables_(pool_, Gpa{pool_address}) {}

    PageTables& tables() { return tables_; }
    Result<void> map(std::uint64_t from, std::uint64_t to, Access access) {
        return tables_.map(GpaRange::between({from}, {to}), access);
    }

    /// Every translation, read from the pool as the processor would from CR3 on.
    Translations walk() const {
        Translations found;
        walk_table(tables_.root().value, 4, 0, true, true, found);
        return found;
    }

    /// The translation of one address.
    std::optional<Leaf> at(std::uint64_t address) const {
        const Translations all = walk();
        auto next = all.upper_bound(address);
        if (next == all.begin())
            return std::nullopt;
        --next;
        if (address - next->first >= next->second.size)
            return std::nullopt;
        return next->second;
    }

    std::vector<PageTables::Table> snapshot() const { return pool_; }

  private:
    void walk_table(std::uint64_t address, unsigned level, std::uint64_t virtual_base,
                    bool writable, bool executable, Translations& found) const {
        REQUIRE(address >= pool_address);
        REQUIRE(address % page == 0);
        const std::uint64_t number = (address - pool_address) / page;
        REQUIRE(number < tables_.pages_used());
        for (std::uint64_t i = 0; i < 512; ++i) {
            const std::uint64_t entry = pool_.at(number).at(i);
            if ((entry & 1) == 0) {
                REQUIRE(entry == 0);
                continue;
            }
            const unsigned shift = 12 + 9 * (level - 1);
            const std::uint64_t at = virtual_base + (i << shift);
            const bool may_write = writable && (entry & 2) != 0;
            const bool may_execute = executable && (entry & no_execute_bit) == 0;
            const std::uint64_t target = entry & 0x000F'FFFF'FFFF'F000;
            const bool is_large = level > 1 && (entry & 0x80) != 0;
            // No user access, no cache control, no global or reserved bits.
            REQUIRE((entry & 0x7FF0'0000'0000'0F1C) == 0);
            REQUIRE((entry & 0x20) != 0); // accessed
            if (level == 1 || is_large) {
                REQUIRE(level <= 2);
                REQUIRE((entry & 0x40) != 0);                 // dirty
                REQUIRE((level != 1 || (entry & 0x80) == 0)); // here it would be PAT
                REQUIRE(target % (std::uint64_t{1} << shift) == 0);
                found[at] = {target, std::uint64_t{1} << shift, may_write, may_execute};
            } else {
                walk_table(target, level - 1, at, may_write, may_execute, found);
            }
        }
    }

    std::vector<PageTables::Table> pool_;
    PageTables tables_;
};

/// Identity pages of `size` from `from` up to `to`.
void expect(Translations& pages, std::uint64_t from, std::uint64_t to, std::uint64_t size,
            bool writable, bool executable) {
    for (std::uint64_t at = from; at < to; at += size)
        pages[at] = {at, size, writable, executable};
}

TEST_CASE("new tables map nothing", "[page_tables]") {
    Fixture fixture;
    CHECK(fixture.walk().empty());
    CHECK(fixture.tables().leaf({0}) == 0);
    CHECK(fixture.tables().root() == Gpa{pool_address});
    CHECK(fixture.tables().pages_used() == 1);
}

TEST_CASE("each access gives exactly its rights", "[page_tables]") {
    for (const std::uint64_t size : {page, large_page}) {
        for (const auto [access, writable, executable] :
             {std::tuple{Access::read, false, false}, std::tuple{Access::read_write, true, false},
              std::tuple{Access::read_execute, false, true},
              std::tuple{Access::read_write_execute, true, true}}) {
            CAPTURE(size, writable, executable);
            Fixture fixture;
            REQUIRE(fixture.map(0x400000, 0x400000 + size, access).has_value());
            Translations expected;
            expect(expected, 0x400000, 0x400000 + size, size, writable, executable);
            CHECK(fixture.walk() == expected);
        }
    }
}

TEST_CASE("large pages are used where they are aligned and fit, small ones around",
          "[page_tables]") {
    Fixture fixture;
    REQUIRE(fixture.map(0x3FD000, 0xA02000, Access::read_write).has_value());
    Translations expected;
    expect(expected, 0x3FD000, 0x400000, page, true, false);
    expect(expected, 0x400000, 0xA00000, large_page, true, false);
    expect(expected, 0xA00000, 0xA02000, page, true, false);
    CHECK(fixture.walk() == expected);
    CHECK(fixture.tables().pages_used() == 5); // PML4, PDPT, PD, two PTs
}

TEST_CASE("a range of a large page's size that is not aligned gets small pages", "[page_tables]") {
    Fixture fixture;
    REQUIRE(fixture.map(0x201000, 0x401000, Access::read).has_value());
    Translations expected;
    expect(expected, 0x201000, 0x401000, page, false, false);
    CHECK(fixture.walk() == expected);
}

TEST_CASE("a range is widened to whole pages and no further", "[page_tables]") {
    Fixture fixture;
    REQUIRE(fixture.map(0x1FFF, 0x3001, Access::read).has_value());
    Translations expected;
    expect(expected, 0x1000, 0x4000, page, false, false);
    CHECK(fixture.walk() == expected);
}

TEST_CASE("an empty range maps nothing", "[page_tables]") {
    Fixture fixture;
    REQUIRE(fixture.map(0x1000, 0x1000, Access::read).has_value());
    REQUIRE(fixture.map(0x1800, 0x1800, Access::read).has_value());
    CHECK(fixture.walk().empty());
    CHECK(fixture.tables().pages_used() == 1);
}

TEST_CASE("ranges that cross the spans of all levels are mapped without gaps", "[page_tables]") {
    Fixture fixture;
    constexpr std::uint64_t half_tebibyte = std::uint64_t{1} << 39; // a new entry in each table
    REQUIRE(fixture.map(half_tebibyte - 0x2000, half_tebibyte + 0x3000, Access::read).has_value());
    constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;
    REQUIRE(
        fixture.map(gibibyte - large_page, gibibyte + large_page, Access::read_write).has_value());
    Translations expected;
    expect(expected, half_tebibyte - 0x2000, half_tebibyte + 0x3000, page, false, false);
    expect(expected, gibibyte - large_page, gibibyte + large_page, large_page, true, false);
    CHECK(fixture.walk() == expected);
}

TEST_CASE("the last page below 2^47 is mapped, the one above is refused", "[page_tables]") {
    Fixture fixture;
    constexpr std::uint64_t limit = std::uint64_t{1} << 47;
    constexpr std::uint64_t top = ~std::uint64_t{0};
    REQUIRE(fixture.map(limit - page, limit, Access::read).has_value());
    Translations expected;
    expect(expected, limit - page, limit, page, false, false);
    CHECK(fixture.walk() == expected);
    require_refused(fixture.map(limit - page, limit + 1, Access::read), Fault::range_wraps,
                    limit - page, limit, limit + 1);
    require_refused(fixture.map(limit, limit + page, Access::read), Fault::range_wraps, limit,
                    limit, limit + page);
    require_refused(fixture.map(top - 1, top, Access::read), Fault::range_wraps, top - 1, limit,
                    top);
    CHECK(fixture.walk() == expected);
}

TEST_CASE("splitting a large page keeps the rest as it was", "[page_tables]") {
    struct Case {
        Access access;
        bool writable;
        bool executable;
    };
    for (const auto [access, writable, executable] :
         {Case{Access::read, false, false}, Case{Access::read_write, true, false},
          Case{Access::read_execute, false, true}, Case{Access::read_write_execute, true, true}}) {
        CAPTURE(writable, executable);
        Fixture fixture;
        REQUIRE(fixture.map(0x200000, 0x800000, access).has_value());
        const Access other = access == Access::read ? Access::read_execute : Access::read;
        REQUIRE(fixture.map(0x4FF000, 0x501000, other).has_value());
        Translations expected;
        expect(expected, 0x200000, 0x400000, large_page, writable, executable);
        expect(expected, 0x400000, 0x600000, page, writable, executable);
        expect(expected, 0x600000, 0x800000, large_page, writable, executable);
        expect(expected, 0x4FF000, 0x501000, page, false, access == Access::read);
        CHECK(fixture.walk() == expected);
    }
}

TEST_CASE("pages are replaced by pages of other rights", "[page_tables]") {
    Fixture fixture;
    SECTION("small by small") {
        REQUIRE(fixture.map(0x1000, 0x5000, Access::read_write).has_value());
        REQUIRE(fixture.map(0x2000, 0x4000, Access::read_execute).has_value());
        Translations expected;
        expect(expected, 0x1000, 0x5000, page, true, false);
        expect(expected, 0x2000, 0x4000, page, false, true);
        CHECK(fixture.walk() == expected);
    }
    SECTION("large by large") {
        REQUIRE(fixture.map(0x200000, 0x400000, Access::read_write_execute).has_value());
        REQUIRE(fixture.map(0x200000, 0x400000, Access::read).has_value());
        Translations expected;
        expect(expected, 0x200000, 0x400000, large_page, false, false);
        CHECK(fixture.walk() == expected);
    }
    SECTION("small by large") {
        REQUIRE(fixture.map(0x201000, 0x203000, Access::read_write).has_value());
        REQUIRE(fixture.map(0x200000, 0x400000, Access::read).has_value());
        Translations expected;
        expect(expected, 0x200000, 0x400000, large_page, false, false);
        CHECK(fixture.walk() == expected);
    }
}

TEST_CASE("mapping the same again needs no more tables", "[page_tables]") {
    Fixture fixture;
    REQUIRE(fixture.map(0x3FD000, 0xA02000, Access::read_write).has_value());
    const auto before = fixture.snapshot();
    const std::size_t used = fixture.tables().pages_used();
    REQUIRE(fixture.map(0x3FD000, 0xA02000, Access::read_write).has_value());
    CHECK(fixture.tables().pages_used() == used);
    CHECK(fixture.snapshot() == before);
}

TEST_CASE("a pool that is used up is reported and no entry leads outside it", "[page_tables]") {
    for (std::size_t pages = 1; pages < 4; ++pages) {
        CAPTURE(pages);
        Fixture fixture(pages);
        require_refused(fixture.map(0x1000, 0x2000, Access::read), Fault::page_tables_full, 0,
                        pages + 1, pages);
        CHECK(fixture.walk().empty());
        CHECK(fixture.tables().pages_used() == pages);
        CHECK(fixture.tables().leaf({0x1000}) == 0);
    }
    Fixture enough(4);
    REQUIRE(enough.map(0x1000, 0x2000, Access::read).has_value());
    CHECK(enough.tables().pages_used() == 4);
}

TEST_CASE("a large page that cannot be split for want of tables stays whole", "[page_tables]") {
    Fixture fixture(3);
    REQUIRE(fixture.map(0x200000, 0x400000, Access::read).has_value());
    const auto before = fixture.walk();
    require_refused(fixture.map(0x201000, 0x202000, Access::read_write), Fault::page_tables_full, 0,
                    4, 3);
    CHECK(fixture.walk() == before);
}

TEST_CASE("leaf gives the entry that translates an address", "[page_tables]") {
    Fixture fixture;
    REQUIRE(fixture.map(0x200000, 0x401000, Access::read_write).has_value());
    REQUIRE(fixture.map(0x600000, 0x601000, Access::read_execute).has_value());
    const PageTables& tables = fixture.tables();
    constexpr std::uint64_t large_data = no_execute_bit | 0x2000E3; // P W A D PS
    constexpr std::uint64_t small_data = no_execute_bit | 0x400063; // P W A D
    CHECK(tables.leaf({0x200000}) == large_data);
    CHECK(tables.leaf({0x3FFFFF}) == large_data);
    CHECK(tables.leaf({0x400000}) == small_data);
    CHECK(tables.leaf({0x400FFF}) == small_data);
    CHECK(tables.leaf({0x600123}) == 0x600061);
    CHECK(tables.leaf({0x1FFFFF}) == 0);
    CHECK(tables.leaf({0x401000}) == 0);
    CHECK(tables.leaf({0x601000}) == 0);
    CHECK(tables.leaf({std::uint64_t{1} << 30}) == 0); // no page directory
    CHECK(tables.leaf({std::uint64_t{1} << 39}) == 0); // no directory pointer table
}

TEST_CASE("leaf and the walker agree after a sequence of mappings", "[page_tables]") {
    Fixture fixture(32);
    REQUIRE(fixture.map(0, 0x1000000, Access::read_write).has_value());
    REQUIRE(fixture.map(0x800000, 0x83B000, Access::read_execute).has_value());
    REQUIRE(fixture.map(0x83B000, 0x840000, Access::read).has_value());
    REQUIRE(fixture.map(0xFFFC0000, 0x100000000, Access::read).has_value());
    for (std::uint64_t at = 0; at < 0x1002000; at += 0x7F000) {
        CAPTURE(at);
        const std::uint64_t entry = fixture.tables().leaf({at});
        const auto found = fixture.at(at);
        REQUIRE((entry != 0) == found.has_value());
        if (!found)
            continue;
        CHECK((entry & 0x000F'FFFF'FFFF'F000) == found->physical);
        CHECK(((entry & 2) != 0) == found->writable);
        CHECK(((entry & no_execute_bit) == 0) == found->executable);
    }
    const Translations all = fixture.walk();
    CHECK(std::ranges::none_of(
        all, [](const auto& item) { return item.second.writable && item.second.executable; }));
    CHECK(std::ranges::all_of(all,
                              [](const auto& item) { return item.second.physical == item.first; }));
    CHECK_FALSE(fixture.at(0x1000000).has_value());
    CHECK(fixture.at(0xFFFFFFFF).has_value());
    CHECK_FALSE(fixture.at(0x100000000).has_value());
}

}} // namespace tdshim::memory
