// SPDX-License-Identifier: Apache-2.0
//
// shim/base/checked.hpp, gpa.hpp and guid.hpp: sums at the edges of 64 bits, ranges that never
// wrap, and the byte order of GUIDs.

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <limits>

#include "shim/base/checked.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/guid.hpp"
#include "tests/unit/support.hpp"

namespace tdshim { namespace {

using namespace tdshim::test;

constexpr std::uint64_t top = std::numeric_limits<std::uint64_t>::max();

GpaRange range(std::uint64_t start, std::uint64_t size) {
    const auto made = GpaRange::make({start}, size);
    REQUIRE(made.has_value());
    return *made;
}

TEST_CASE("a sum is given when it fits and nothing when it wraps", "[gpa]") {
    CHECK(checked_add<std::uint64_t>(1, 2) == 3U);
    CHECK(checked_add<std::uint64_t>(top, 0) == top);
    CHECK(checked_add<std::uint64_t>(top - 1, 1) == top);
    CHECK_FALSE(checked_add<std::uint64_t>(top, 1).has_value());
    CHECK_FALSE(checked_add<std::uint64_t>(top, top).has_value());
    CHECK(checked_add<std::uint32_t>(0xFFFFFFFE, 1) == 0xFFFFFFFFU);
    CHECK_FALSE(checked_add<std::uint32_t>(0xFFFFFFFF, 1).has_value());
    CHECK_FALSE(checked_add<std::uint8_t>(200, 56).has_value());
}

TEST_CASE("aligning upwards goes to the next multiple, if there is one", "[gpa]") {
    CHECK(align_up(0, 0x1000) == 0U);
    CHECK(align_up(1, 0x1000) == 0x1000U);
    CHECK(align_up(0xFFF, 0x1000) == 0x1000U);
    CHECK(align_up(0x1000, 0x1000) == 0x1000U);
    CHECK(align_up(0x1001, 0x1000) == 0x2000U);
    CHECK(align_up(top, 1) == top);
    CHECK(align_up(0xFFFFFFFFFFFFF000, 0x1000) == 0xFFFFFFFFFFFFF000U);
    CHECK_FALSE(align_up(0xFFFFFFFFFFFFF001, 0x1000).has_value());
    CHECK_FALSE(align_up(top, 2).has_value());
}

TEST_CASE("aligning downwards goes to the last multiple", "[gpa]") {
    CHECK(align_down(0, 0x1000) == 0);
    CHECK(align_down(0xFFF, 0x1000) == 0);
    CHECK(align_down(0x1000, 0x1000) == 0x1000);
    CHECK(align_down(0x1FFF, 0x1000) == 0x1000);
    CHECK(align_down(top, 0x1000) == 0xFFFFFFFFFFFFF000);
    CHECK(align_down(top, 1) == top);
}

TEST_CASE("multiples of an alignment are aligned and nothing else is", "[gpa]") {
    CHECK(is_aligned(0, 0x1000));
    CHECK(is_aligned(0x3000, 0x1000));
    CHECK(is_aligned(top, 1));
    CHECK_FALSE(is_aligned(0x3800, 0x1000));
    CHECK_FALSE(is_aligned(top, 2));
}

TEST_CASE("a range has the start, size and end that it was made with", "[gpa]") {
    const GpaRange made = range(0x1000, 0x2000);
    CHECK(made.start() == Gpa{0x1000});
    CHECK(made.size() == 0x2000);
    CHECK(made.end() == Gpa{0x3000});
    CHECK_FALSE(made.empty());
    CHECK(GpaRange::of<0x1000, 0x2000>() == made);
    CHECK(GpaRange().empty());
    CHECK(GpaRange().start() == Gpa{0});
}

TEST_CASE("a range may end at the last number of 64 bits but not behind it", "[gpa]") {
    CHECK(range(top, 0).empty());
    CHECK(range(0, top).end() == Gpa{top});
    CHECK(range(top - 1, 1).end() == Gpa{top});
    require_refused(GpaRange::make({top}, 1), Fault::range_wraps, top, 0, 1);
    require_refused(GpaRange::make({1}, top), Fault::range_wraps, 1, top - 1, top);
    require_refused(GpaRange::make({0x1000}, top - 0xFFF), Fault::range_wraps, 0x1000, top - 0x1000,
                    top - 0xFFF);
}

TEST_CASE("a range between two addresses is empty when they stand the wrong way", "[gpa]") {
    CHECK(GpaRange::between({0x1000}, {0x3000}) == range(0x1000, 0x2000));
    CHECK(GpaRange::between({0}, {top}) == range(0, top));
    CHECK(GpaRange::between({0x1000}, {0x1000}) == range(0x1000, 0));
    CHECK(GpaRange::between({0x1000}, {0xFFF}) == range(0x1000, 0));
    CHECK(GpaRange::between({top}, {0}) == range(top, 0));
}

TEST_CASE("a range contains what lies wholly inside", "[gpa]") {
    const GpaRange whole = range(0x1000, 0x1000);
    CHECK(whole.contains(whole));
    CHECK(whole.contains(range(0x1000, 1)));
    CHECK(whole.contains(range(0x1FFF, 1)));
    CHECK_FALSE(whole.contains(range(0xFFF, 2)));
    CHECK_FALSE(whole.contains(range(0x1FFF, 2)));
    CHECK_FALSE(whole.contains(range(0xFFF, 0x1002)));
    CHECK_FALSE(whole.contains(range(0x2000, 1)));
    CHECK_FALSE(whole.contains(range(0, 0x1000)));
    CHECK(range(0, top).contains(range(top - 1, 1)));
    CHECK_FALSE(range(top - 1, 1).contains(range(0, top)));
}

TEST_CASE("a range contains an empty one inside or at its ends only", "[gpa]") {
    const GpaRange whole = range(0x1000, 0x1000);
    CHECK(whole.contains(range(0x1000, 0)));
    CHECK(whole.contains(range(0x2000, 0)));
    CHECK_FALSE(whole.contains(range(0xFFF, 0)));
    CHECK_FALSE(whole.contains(range(0x2001, 0)));
}

TEST_CASE("ranges overlap when they share a byte", "[gpa]") {
    const auto both = [](const GpaRange& a, const GpaRange& b) {
        CHECK(a.overlaps(b) == b.overlaps(a));
        return a.overlaps(b);
    };
    const GpaRange middle = range(0x1000, 0x1000);
    CHECK(both(middle, middle));
    CHECK(both(middle, range(0x1FFF, 1)));
    CHECK(both(middle, range(0x1000, 1)));
    CHECK(both(middle, range(0x1400, 0x10)));
    CHECK(both(middle, range(0, 0x1001)));
    CHECK(both(middle, range(0, top)));
    CHECK_FALSE(both(middle, range(0, 0x1000)));
    CHECK_FALSE(both(middle, range(0x2000, 0x1000)));
    CHECK(both(range(0, top), range(top - 1, 1)));
    CHECK_FALSE(both(range(0, top - 1), range(top - 1, 1)));
}

TEST_CASE("an empty range overlaps nothing", "[gpa]") {
    const GpaRange middle = range(0x1000, 0x1000);
    CHECK_FALSE(middle.overlaps(range(0x1800, 0)));
    CHECK_FALSE(range(0x1800, 0).overlaps(middle));
    CHECK_FALSE(range(0x1800, 0).overlaps(range(0x1800, 0)));
}

TEST_CASE("the first three groups of a GUID stand little-endian, the rest as written", "[gpa]") {
    constexpr Guid guid = "00112233-4455-6677-8899-aabbccddeeff"_guid;
    CHECK(copy_of(guid.bytes) ==
          Blob().dump("33 22 11 00 55 44 77 66 88 99 AA BB CC DD EE FF").vector());
    // The footer GUID of OVMF, as it stands at the end of OVMF images.
    constexpr Guid footer = "96b582de-1fb2-45f7-baea-a366c55a082d"_guid;
    CHECK(copy_of(footer.bytes) ==
          Blob().dump("DE 82 B5 96 B2 1F F7 45 BA EA A3 66 C5 5A 08 2D").vector());
    CHECK(guid != footer);
    CHECK(footer == "96b582de-1fb2-45f7-baea-a366c55a082d"_guid);
}

}} // namespace tdshim
