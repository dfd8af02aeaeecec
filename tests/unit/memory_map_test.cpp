// SPDX-License-Identifier: Apache-2.0
//
// shim/memory/memory_map.hpp: where allocations go, what stands in their way, and what the final
// map looks like after pieces were taken out of it or renamed.

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <vector>

#include "shim/memory/memory_map.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::memory { namespace {

using namespace tdshim::test;
using enum e820::Type;
using Order = Request::Order;

/// An entry of a map as plain numbers: from, to (without), type.
struct Row {
    std::uint64_t from;
    std::uint64_t to;
    e820::Type type;
    bool operator==(const Row&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Row& row) {
    return out << std::hex << row.from << '-' << row.to << ':'
               << static_cast<std::uint32_t>(row.type);
}

GpaRange span(std::uint64_t from, std::uint64_t to) {
    return GpaRange::between({from}, {to});
}

constexpr GpaRange anywhere = GpaRange::between({0}, {~std::uint64_t{0}});

MemoryMap map_of(std::initializer_list<Row> rows) {
    e820::Table table;
    for (const Row& row : rows)
        REQUIRE(table.push({span(row.from, row.to), row.type}));
    return MemoryMap(table);
}

std::vector<Row> rows_of(const MemoryMap& map) {
    std::vector<Row> rows;
    for (const e820::Entry& entry : map.table())
        rows.push_back({entry.range.start().value, entry.range.end().value, entry.type});
    return rows;
}

void check_allocated(MemoryMap& map, const Request& request, std::uint64_t from, std::uint64_t to) {
    const auto place = map.allocate(request);
    REQUIRE(place.has_value());
    CHECK(place->start().value == from);
    CHECK(place->end().value == to);
}

Request lowest_of(std::uint64_t size, std::uint64_t alignment = 0x1000,
                  const GpaRange& within = anywhere) {
    return {.size = size, .alignment = alignment, .within = within, .order = Order::lowest_first};
}

Request highest_of(std::uint64_t size, std::uint64_t alignment = 0x1000,
                   const GpaRange& within = anywhere) {
    return {.size = size, .alignment = alignment, .within = within, .order = Order::highest_first};
}

/// Two pieces of memory with a hole, and other types around them.
MemoryMap two_pieces() {
    return map_of({{0x0, 0x1000, reserved},
                   {0x1000, 0x9000, memory},
                   {0x9000, 0x10000, acpi},
                   {0x20000, 0x30000, memory},
                   {0x30000, 0x40000, unusable}});
}

/// As many entries of memory, each of four pages with a gap behind it.
MemoryMap many_entries(std::size_t count) {
    e820::Table table;
    for (std::size_t i = 0; i < count; ++i)
        REQUIRE(table.push({span(i * 0x10000, i * 0x10000 + 0x4000), memory}));
    return MemoryMap(table);
}

TEST_CASE("memory is added where there is none, and joins its neighbours", "[memory_map]") {
    MemoryMap map = map_of({{0, 0x10000, memory}, {0x30000, 0x40000, memory}});
    REQUIRE(map.add(span(0x10000, 0x30000)));
    CHECK(rows_of(map) == std::vector<Row>{{0, 0x40000, memory}});
    REQUIRE(map.add(span(0x50000, 0x60000)));
    CHECK(rows_of(map) == std::vector<Row>{{0, 0x40000, memory}, {0x50000, 0x60000, memory}});
    require_refused(map.add(span(0x3F000, 0x41000)), Fault::e820_overlap, 0x3F000, 0x41000, 0);
}

TEST_CASE("the lowest place that fits is at the start of memory", "[memory_map]") {
    MemoryMap map = two_pieces();
    check_allocated(map, lowest_of(0x1000), 0x1000, 0x2000);
    check_allocated(map, lowest_of(0x2000), 0x2000, 0x4000);
}

TEST_CASE("the highest place that fits is at the end of memory", "[memory_map]") {
    MemoryMap map = two_pieces();
    check_allocated(map, highest_of(0x1000), 0x2F000, 0x30000);
    check_allocated(map, highest_of(0x2000), 0x2D000, 0x2F000);
}

TEST_CASE("an entry that is too small is passed over", "[memory_map]") {
    MemoryMap map = two_pieces();
    check_allocated(map, lowest_of(0x9000), 0x20000, 0x29000);
    check_allocated(map, highest_of(0x8000), 0x1000, 0x9000);
}

TEST_CASE("an allocation may fill an entry exactly", "[memory_map]") {
    MemoryMap map = two_pieces();
    check_allocated(map, lowest_of(0x8000), 0x1000, 0x9000);
    check_allocated(map, highest_of(0x10000), 0x20000, 0x30000);
    require_refused(map.allocate(lowest_of(1)), Fault::memory_exhausted, 0, 0x1000, 0);
    require_refused(map.allocate(highest_of(1)), Fault::memory_exhausted, 0, 0x1000, 0);
}

TEST_CASE("sizes are rounded up to whole pages", "[memory_map]") {
    MemoryMap map = two_pieces();
    check_allocated(map, lowest_of(1), 0x1000, 0x2000);
    check_allocated(map, lowest_of(0x1001), 0x2000, 0x4000);
}

TEST_CASE("a place has the alignment that was asked for", "[memory_map]") {
    MemoryMap map = two_pieces();
    check_allocated(map, lowest_of(0x1000, 0x4000), 0x4000, 0x5000);
    check_allocated(map, lowest_of(0x1000, 0x4000), 0x8000, 0x9000);
    check_allocated(map, lowest_of(0x1000, 0x10000), 0x20000, 0x21000);
    check_allocated(map, highest_of(0x1000, 0x4000), 0x2C000, 0x2D000);
    check_allocated(map, highest_of(0x4000, 0x8000), 0x28000, 0x2C000);
}

TEST_CASE("memory that begins inside a page is used from its first whole page", "[memory_map]") {
    MemoryMap map = map_of({{0x1800, 0x4800, memory}});
    check_allocated(map, lowest_of(0x1000), 0x2000, 0x3000);
    check_allocated(map, highest_of(0x1000), 0x3000, 0x4000);
    CHECK_FALSE(map.allocate(lowest_of(0x1000)).has_value());
}

TEST_CASE("a place lies wholly within the bounds of its request", "[memory_map]") {
    MemoryMap map = two_pieces();
    check_allocated(map, lowest_of(0x1000, 0x1000, span(0x3000, 0x6000)), 0x3000, 0x4000);
    check_allocated(map, highest_of(0x1000, 0x1000, span(0x3000, 0x6000)), 0x5000, 0x6000);
    check_allocated(map, highest_of(0x1000, 0x1000, span(0x3000, 0x6000)), 0x4000, 0x5000);
    require_refused(map.allocate(lowest_of(0x1000, 0x1000, span(0x3000, 0x6000))),
                    Fault::memory_exhausted, 0x3000, 0x1000, 0);
    require_refused(map.allocate(lowest_of(0x2000, 0x1000, span(0x8000, 0x21000))),
                    Fault::memory_exhausted, 0x8000, 0x2000, 0x1000);
    require_refused(map.allocate(lowest_of(0x1000, 0x1000, GpaRange())), Fault::memory_exhausted, 0,
                    0x1000, 0);
}

TEST_CASE("what does not fit is told with the most that would", "[memory_map]") {
    MemoryMap map = two_pieces();
    for (const std::uint64_t size : {0x11000ULL, 0x12345ULL, 0x10'0000ULL})
        CHECK(map.largest(lowest_of(size)) == 0x10000);
    CHECK(map.largest(lowest_of(0x3000)) == 0x3000);
    REQUIRE(map.use(span(0x24000, 0x25000)));
    CHECK(map.largest(lowest_of(0x11000)) == 0xB000);
    CHECK(map.largest(lowest_of(0x11000, 0x1000, span(0x3000, 0x5800))) == 0x2000);
}

TEST_CASE("only memory is given out, never another type or a hole", "[memory_map]") {
    MemoryMap map = two_pieces();
    for (const GpaRange& within :
         {span(0, 0x1000), span(0x9000, 0x20000), span(0x30000, 0x100000)}) {
        require_refused(map.allocate(lowest_of(0x1000, 0x1000, within)), Fault::memory_exhausted,
                        within.start().value, 0x1000, 0);
        require_refused(map.allocate(highest_of(0x1000, 0x1000, within)), Fault::memory_exhausted,
                        within.start().value, 0x1000, 0);
    }
}

TEST_CASE("an allocation steps over what is in use", "[memory_map]") {
    MemoryMap map = two_pieces();
    REQUIRE(map.use(span(0x1000, 0x2000)).has_value());
    REQUIRE(map.use(span(0x2800, 0x2801)).has_value()); // a byte keeps its page
    REQUIRE(map.use(span(0x2E000, 0x40000)).has_value());
    check_allocated(map, lowest_of(0x2000), 0x3000, 0x5000);
    check_allocated(map, lowest_of(0x1000), 0x5000, 0x6000);
    check_allocated(map, highest_of(0x1000), 0x2D000, 0x2E000);
    CHECK(rows_of(map) == rows_of(two_pieces()));
}

TEST_CASE("obstacles may be stated in any order and overlap", "[memory_map]") {
    for (const Order order : {Order::lowest_first, Order::highest_first}) {
        MemoryMap map = map_of({{0x0, 0x10000, memory}});
        REQUIRE(map.use(span(0xA000, 0x10000)).has_value());
        REQUIRE(map.use(span(0x0, 0x3000)).has_value());
        REQUIRE(map.use(span(0x5000, 0xB000)).has_value());
        REQUIRE(map.use(span(0x2000, 0x4000)).has_value());
        const Request request{
            .size = 0x1000, .alignment = 0x1000, .within = anywhere, .order = order};
        check_allocated(map, request, 0x4000, 0x5000);
        CHECK_FALSE(map.allocate(request).has_value());
    }
}

TEST_CASE("an empty use is in nobody's way", "[memory_map]") {
    MemoryMap map = map_of({{0x1000, 0x3000, memory}});
    REQUIRE(map.use(span(0x2000, 0x2000)).has_value());
    check_allocated(map, lowest_of(0x2000), 0x1000, 0x3000);
}

TEST_CASE("nothing and what wraps around cannot be allocated", "[memory_map]") {
    MemoryMap map = two_pieces();
    constexpr std::uint64_t top = ~std::uint64_t{0};
    require_refused(map.allocate(lowest_of(0)), Fault::memory_exhausted, 0, 0, 0);
    require_refused(map.allocate(lowest_of(top)), Fault::memory_exhausted, 0, top, 0x10000);
    require_refused(map.allocate(lowest_of(top - 0xFFF)), Fault::memory_exhausted, 0, top - 0xFFF,
                    0x10000);
    require_refused(map.allocate(highest_of(top - 0xFFF)), Fault::memory_exhausted, 0, top - 0xFFF,
                    0x10000);
    require_refused(map.allocate(lowest_of(0x1000, std::uint64_t{1} << 63)),
                    Fault::memory_exhausted, 0, 0x1000, 0);
    CHECK(rows_of(map) == rows_of(two_pieces()));
}

TEST_CASE("memory at the end of 64 bits is given out without wrapping", "[memory_map]") {
    constexpr std::uint64_t last_page = 0xFFFFFFFFFFFFE000;
    for (const Order order : {Order::lowest_first, Order::highest_first}) {
        MemoryMap map = map_of({{last_page, ~std::uint64_t{0}, memory}});
        const Request request{
            .size = 0x1000, .alignment = 0x1000, .within = anywhere, .order = order};
        check_allocated(map, request, last_page, last_page + 0x1000);
        CHECK_FALSE(map.allocate(request).has_value());
    }
}

TEST_CASE("a place that was released is given out again", "[memory_map]") {
    MemoryMap map = map_of({{0x1000, 0x3000, memory}});
    check_allocated(map, lowest_of(0x1000), 0x1000, 0x2000);
    check_allocated(map, lowest_of(0x1000), 0x2000, 0x3000);
    map.release(span(0x1000, 0x2000));
    check_allocated(map, highest_of(0x1000), 0x1000, 0x2000);
}

TEST_CASE("only the very range that is in use is released, and once", "[memory_map]") {
    MemoryMap map = map_of({{0x1000, 0x3000, memory}});
    REQUIRE(map.use(span(0x1000, 0x3000)).has_value());
    map.release(span(0x1000, 0x2000));
    map.release(span(0x0, 0x4000));
    CHECK_FALSE(map.allocate(lowest_of(0x1000)).has_value());
    REQUIRE(map.use(span(0x1000, 0x3000)).has_value());
    map.release(span(0x1000, 0x3000));
    CHECK_FALSE(map.allocate(lowest_of(0x1000)).has_value());
    map.release(span(0x1000, 0x3000));
    CHECK(map.allocate(lowest_of(0x1000)).has_value());
}

TEST_CASE("removing takes a piece out of an entry", "[memory_map]") {
    MemoryMap map = map_of({{0x1000, 0x9000, memory}, {0x9000, 0xA000, nvs}});
    SECTION("in the middle") {
        REQUIRE(map.remove(span(0x3000, 0x4000)).has_value());
        CHECK(rows_of(map) == std::vector<Row>{{0x1000, 0x3000, memory},
                                               {0x4000, 0x9000, memory},
                                               {0x9000, 0xA000, nvs}});
        CHECK(map.usable() == 0x7000);
    }
    SECTION("at its start") {
        REQUIRE(map.remove(span(0x0, 0x4000)).has_value());
        CHECK(rows_of(map) == std::vector<Row>{{0x4000, 0x9000, memory}, {0x9000, 0xA000, nvs}});
    }
    SECTION("at its end") {
        REQUIRE(map.remove(span(0x8000, 0xA000)).has_value());
        CHECK(rows_of(map) == std::vector<Row>{{0x1000, 0x8000, memory}, {0x9000, 0xA000, nvs}});
    }
    SECTION("all of it") {
        REQUIRE(map.remove(span(0x1000, 0x9000)).has_value());
        CHECK(rows_of(map) == std::vector<Row>{{0x9000, 0xA000, nvs}});
        CHECK(map.usable() == 0);
    }
    SECTION("nothing") {
        REQUIRE(map.remove(span(0x3000, 0x3000)).has_value());
        REQUIRE(map.remove(span(0x0, 0x1000)).has_value());
        CHECK(rows_of(map) == std::vector<Row>{{0x1000, 0x9000, memory}, {0x9000, 0xA000, nvs}});
    }
}

TEST_CASE("removing goes over several entries and leaves other types", "[memory_map]") {
    MemoryMap map = map_of({{0x1000, 0x3000, memory},
                            {0x3000, 0x4000, reserved},
                            {0x4000, 0x5000, memory},
                            {0x5000, 0x6000, memory},
                            {0x6000, 0x7000, nvs},
                            {0x8000, 0xA000, memory},
                            {0xB000, 0xC000, memory}});
    REQUIRE(map.remove(span(0x2000, 0x9000)).has_value());
    CHECK(rows_of(map) == std::vector<Row>{{0x1000, 0x2000, memory},
                                           {0x3000, 0x4000, reserved},
                                           {0x6000, 0x7000, nvs},
                                           {0x9000, 0xA000, memory},
                                           {0xB000, 0xC000, memory}});
}

TEST_CASE("removed memory is not given out", "[memory_map]") {
    MemoryMap map = map_of({{0x1000, 0x9000, memory}});
    REQUIRE(map.remove(span(0x1000, 0x8000)).has_value());
    CHECK_FALSE(map.is_usable(span(0x1000, 0x2000)));
    check_allocated(map, lowest_of(0x1000), 0x8000, 0x9000);
    CHECK_FALSE(map.allocate(lowest_of(0x1000)).has_value());
}

TEST_CASE("a retyped range has its type and the rest stays sorted memory", "[memory_map]") {
    MemoryMap map = two_pieces();
    REQUIRE(map.retype(span(0x22000, 0x24000), nvs).has_value());
    REQUIRE(map.retype(span(0x1000, 0x2000), acpi).has_value());
    REQUIRE(map.retype(span(0x8000, 0x9000), reserved).has_value());
    CHECK(rows_of(map) == std::vector<Row>{{0x0, 0x1000, reserved},
                                           {0x1000, 0x2000, acpi},
                                           {0x2000, 0x8000, memory},
                                           {0x8000, 0x9000, reserved},
                                           {0x9000, 0x10000, acpi},
                                           {0x20000, 0x22000, memory},
                                           {0x22000, 0x24000, nvs},
                                           {0x24000, 0x30000, memory},
                                           {0x30000, 0x40000, unusable}});
    CHECK(map.usable() == 0x6000 + 0x2000 + 0xC000);
    CHECK_FALSE(map.is_usable(span(0x22000, 0x23000)));
    CHECK(map.is_usable(span(0x24000, 0x30000)));
}

TEST_CASE("a whole entry may be retyped", "[memory_map]") {
    MemoryMap map = map_of({{0x1000, 0x2000, memory}});
    REQUIRE(map.retype(span(0x1000, 0x2000), nvs).has_value());
    CHECK(rows_of(map) == std::vector<Row>{{0x1000, 0x2000, nvs}});
}

TEST_CASE("what is not usable memory wholly cannot be retyped", "[memory_map]") {
    MemoryMap map = two_pieces();
    const auto refused = [&](std::uint64_t from, std::uint64_t to) {
        require_refused(map.retype(span(from, to), nvs), Fault::e820_no_memory, from, to - from, 0);
    };
    refused(0x0, 0x1000);      // another type
    refused(0x0, 0x2000);      // begins before
    refused(0x8000, 0xA000);   // ends behind
    refused(0x10000, 0x11000); // a hole
    refused(0x8000, 0x21000);  // from piece to piece
    REQUIRE(map.retype(span(0x2000, 0x3000), nvs).has_value());
    refused(0x2000, 0x3000); // no longer memory
}

TEST_CASE("memory is usable where all of the range is memory", "[memory_map]") {
    const MemoryMap map = two_pieces();
    CHECK(map.is_usable(span(0x1000, 0x9000)));
    CHECK(map.is_usable(span(0x8FFF, 0x9000)));
    CHECK_FALSE(map.is_usable(span(0x8FFF, 0x9001)));
    CHECK_FALSE(map.is_usable(span(0xFFF, 0x1001)));
    CHECK_FALSE(map.is_usable(span(0x30000, 0x31000)));
    CHECK_FALSE(MemoryMap().is_usable(span(0x1000, 0x2000)));
    CHECK(map.usable() == 0x18000);
    CHECK(MemoryMap().usable() == 0);
}

TEST_CASE("entries of one type that touch are one piece of memory", "[memory_map]") {
    MemoryMap map = map_of({{0x0, 0x1000, memory},
                            {0x1000, 0x3000, memory},
                            {0x3000, 0x4000, memory},
                            {0x4000, 0x5000, reserved},
                            {0x5000, 0x6000, memory},
                            {0x6001, 0x7000, memory}});
    CHECK(rows_of(map) == std::vector<Row>{{0x0, 0x4000, memory},
                                           {0x4000, 0x5000, reserved},
                                           {0x5000, 0x6000, memory},
                                           {0x6001, 0x7000, memory}});
    CHECK(map.is_usable(span(0x800, 0x3800)));
    CHECK_FALSE(map.is_usable(span(0x5000, 0x7000)));
    check_allocated(map, lowest_of(0x4000), 0x0, 0x4000);
}

TEST_CASE("what is in use counts as usable memory", "[memory_map]") {
    MemoryMap map = two_pieces();
    check_allocated(map, lowest_of(0x1000), 0x1000, 0x2000);
    CHECK(map.is_usable(span(0x1000, 0x2000)));
    CHECK(map.usable() == 0x18000);
}

TEST_CASE("the list of used ranges has a limit that is reported", "[memory_map]") {
    MemoryMap map = map_of({{0x0, 0x100000, memory}});
    for (std::uint64_t i = 0; i < 128; ++i)
        check_allocated(map, lowest_of(0x1000), i * 0x1000, (i + 1) * 0x1000);
    require_refused(map.use(span(0x90000, 0x91000)), Fault::too_many_entries, 0x90000, 128, 129);
    require_refused(map.allocate(lowest_of(0x1000)), Fault::too_many_entries, 0x80000, 128, 129);
    map.release(span(0x7000, 0x8000));
    check_allocated(map, lowest_of(0x1000), 0x7000, 0x8000);
}

TEST_CASE("a map that is full cannot be split further", "[memory_map]") {
    MemoryMap map = many_entries(128);
    SECTION("by removing from the middle of an entry") {
        require_refused(map.remove(span(0x11000, 0x12000)), Fault::too_many_entries, 0x10000, 128,
                        129);
    }
    SECTION("by retyping the middle of an entry") {
        CHECK_FALSE(map.retype(span(0x11000, 0x12000), nvs).has_value());
    }
    SECTION("by retyping the end of an entry") {
        require_refused(map.retype(span(0x13000, 0x14000), nvs), Fault::too_many_entries, 0x13000,
                        128, 129);
    }
}

TEST_CASE("a map that is full can still lose ends and change whole entries", "[memory_map]") {
    MemoryMap map = many_entries(128);
    REQUIRE(map.remove(span(0x10000, 0x11000)).has_value());
    REQUIRE(map.remove(span(0x23000, 0x24000)).has_value());
    REQUIRE(map.retype(span(0x30000, 0x34000), nvs).has_value());
    const auto rows = rows_of(map);
    REQUIRE(rows.size() == 128);
    CHECK(rows[1] == Row{0x11000, 0x14000, memory});
    CHECK(rows[2] == Row{0x20000, 0x23000, memory});
    CHECK(rows[3] == Row{0x30000, 0x34000, nvs});
}

TEST_CASE("the last room of a map can be used", "[memory_map]") {
    MemoryMap split = many_entries(126);
    REQUIRE(split.retype(span(0x11000, 0x12000), nvs).has_value());
    CHECK(split.table().size() == 128);
    MemoryMap full = many_entries(127);
    require_refused(full.retype(span(0x11000, 0x12000), nvs), Fault::too_many_entries, 0x11000, 128,
                    129);
}

}} // namespace tdshim::memory
