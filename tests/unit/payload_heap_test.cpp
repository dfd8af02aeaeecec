// SPDX-License-Identifier: Apache-2.0
//
// payload/runtime/heap: which memory a payload's heap takes, and how it hands it out.

#include "payload/runtime/heap.hpp"

#include <array>
#include <string>

#include "tests/unit/support.hpp"

namespace tdshim::runtime { namespace {

using namespace tdshim::test;

GpaRange pages(std::uint64_t first, std::uint64_t end) {
    return GpaRange::between({first * page_size}, {end * page_size});
}

std::string text_of(const Result<Pieces>& pieces) {
    REQUIRE(pieces.has_value());
    std::string text;
    for (const GpaRange& piece : *pieces)
        text += std::to_string(piece.start().value / page_size) + "-" +
                std::to_string(piece.end().value / page_size) + " ";
    return text;
}

TEST_CASE("a heap hands out aligned memory until it is used up", "[payload]") {
    Heap heap(pages(1, 3));
    CHECK(heap.left() == 2 * page_size);
    CHECK(heap.allocate(10, 16)->start() == Gpa{page_size});
    CHECK(heap.allocate(1, 16)->start() == Gpa{page_size + 16});
    CHECK(heap.allocate(0, 1)->empty());
    const auto page = heap.allocate(page_size, page_size);
    REQUIRE(page.has_value());
    CHECK(*page == pages(2, 3));
    CHECK(heap.left() == 0);
    require_refused(heap.allocate(1, 1), Fault::memory_exhausted, 3 * page_size, 1, 0);
}

TEST_CASE("a heap refuses sizes and alignments that wrap around", "[payload]") {
    Heap heap(pages(1, 3));
    constexpr std::uint64_t most = ~std::uint64_t{0};
    require_refused(heap.allocate(most, 16), Fault::memory_exhausted, page_size, most,
                    2 * page_size);
    CHECK_FALSE(Heap(GpaRange::between({most - 4}, {most})).allocate(1, page_size).has_value());
    CHECK_FALSE(Heap().allocate(1, 1).has_value());
    CHECK(heap.allocate(2 * page_size, 1).has_value());
}

TEST_CASE("kept ranges are cut out by whole pages", "[payload]") {
    const auto range = pages(10, 20);
    CHECK(text_of(without(range, {})) == "10-20 ");
    CHECK(text_of(without(range, std::array{pages(12, 13)})) == "10-12 13-20 ");
    CHECK(text_of(without(range, std::array{pages(15, 30), pages(0, 11), pages(12, 13)})) ==
          "11-12 13-15 ");
    CHECK(text_of(without(range, std::array{pages(12, 18), pages(11, 13)})) == "10-11 18-20 ");
    CHECK(text_of(without(range, std::array{pages(0, 40)})).empty());
    CHECK(text_of(without(range, std::array{pages(10, 10), pages(20, 22), pages(2, 10)})) ==
          "10-20 ");
    const auto uneven = GpaRange::between({12 * page_size + 1}, {12 * page_size + 2});
    CHECK(text_of(without(range, std::array{uneven})) == "10-12 13-20 ");
    CHECK(text_of(without(uneven, {})).empty());
}

TEST_CASE("pieces beyond their bound are refused", "[payload]") {
    std::array<GpaRange, max_pieces> kept;
    for (std::size_t i = 0; i < kept.size(); ++i)
        kept[i] = pages(2 * i + 1, 2 * i + 2);
    require_refused(without(pages(0, 100), kept), Fault::too_many_entries,
                    2 * max_pieces * page_size, max_pieces, max_pieces + 1);
}

TEST_CASE("the largest free stretch is one of usable memory in the window", "[payload]") {
    e820::Table memory;
    REQUIRE(memory.push({pages(0, 160), e820::Type::memory}));
    REQUIRE(memory.push({pages(256, 1000), e820::Type::memory}));
    REQUIRE(memory.push({pages(1000, 9000), e820::Type::unaccepted}));
    REQUIRE(memory.push({pages(9000, 9500), e820::Type::memory}));
    const auto all = pages(0, 1'000'000);
    CHECK(largest_free(memory, all, {}) == pages(256, 1000));
    CHECK(largest_free(memory, all, std::array{pages(300, 900)}) == pages(9000, 9500));
    CHECK(largest_free(memory, pages(1, 160), {}) == pages(1, 160));
    CHECK(largest_free(memory, pages(1000, 2000), {})->empty());
    CHECK(largest_free({}, all, {})->empty());
}

}} // namespace tdshim::runtime
