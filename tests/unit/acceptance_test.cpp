// SPDX-License-Identifier: Apache-2.0
//
// shim/memory/acceptance.hpp: every byte once, none that is to be kept, and what a module's answers
// lead to.

#include <map>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "shim/memory/acceptance.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::memory { namespace {

using namespace tdshim::test;
using tdx::PageLevel;
using tdx::Status;

constexpr std::uint64_t size_mismatch = 0xC000'0B0B'0000'0001;
constexpr std::uint64_t already_accepted_4k = 0x0000'0B0A'0000'0000;
constexpr std::uint64_t already_accepted_2m = 0x0000'0B0A'0000'0001;
constexpr std::uint64_t busy = 0x8000'0200'0000'0001;
constexpr std::uint64_t operand_invalid = 0xC000'0100'0000'0001;

GpaRange stretch(std::uint64_t from, std::uint64_t to) {
    return GpaRange::between({from}, {to});
}

hob::MemoryList unaccepted(std::initializer_list<GpaRange> ranges) {
    hob::MemoryList list;
    for (const GpaRange& range : ranges)
        REQUIRE(list.push({range, false}));
    return list;
}

std::string text_of(const AcceptancePlan& plan) {
    std::string text;
    for (const GpaRange& range : plan.ranges())
        text += std::to_string(range.start().value / KiB) + "-" +
                std::to_string(range.end().value / KiB) + " ";
    return text;
}

std::string text_of(const RangeList& list) {
    std::string text;
    for (const GpaRange& range : list)
        text += std::to_string(range.start().value / KiB) + "-" +
                std::to_string(range.end().value / KiB) + " ";
    return text;
}

/// Takes `place` out of `left`, and says what.
std::string taken(RangeList& left, const GpaRange& place) {
    const auto plan = AcceptancePlan::take(left, place);
    REQUIRE(plan.has_value());
    left = plan->left();
    return text_of(*plan);
}

TEST_CASE("of what is left, a place takes the large pages that it touches, once", "[acceptance]") {
    auto plan = AcceptancePlan::make(
        unaccepted({stretch(0, 64 * MiB), stretch(GiB, GiB + 8 * MiB)}), {}, Extent::ends);
    REQUIRE(plan.has_value());
    CHECK(plan->bytes() == 0);
    RangeList left = plan->left();
    CHECK(taken(left, stretch(3 * MiB, 3 * MiB + 4 * KiB)) == "2048-4096 ");
    CHECK(taken(left, stretch(2 * MiB, 4 * MiB)).empty());
    CHECK(taken(left, stretch(MiB, 6 * MiB + 1)) == "0-2048 4096-8192 ");
    CHECK(taken(left, stretch(62 * MiB, 2 * GiB)) == "63488-65536 1048576-1056768 ");
    CHECK(text_of(left) == "8192-63488 ");
    CHECK(taken(left, stretch(0, ~std::uint64_t{0})) == "8192-63488 ");
    CHECK(left.empty());
}

TEST_CASE("what is left does not fall into more pieces than there is room for", "[acceptance]") {
    RangeList left;
    for (std::uint64_t i = 0; i < RangeList::capacity(); ++i)
        REQUIRE(left.push(stretch(i * 16 * MiB, i * 16 * MiB + 8 * MiB)));
    require_refused(AcceptancePlan::take(left, stretch(2 * MiB, 4 * MiB)), Fault::too_many_entries,
                    std::uint64_t{RangeList::capacity() - 1} * 16 * MiB, RangeList::capacity(),
                    RangeList::capacity() + 1);
}

/// A module that answers as told, and remembers what was accepted.
struct Module {
    std::map<std::pair<std::uint64_t, PageLevel>, std::vector<std::uint64_t>> answers;
    bool grants_large_pages = true;
    std::vector<std::pair<std::uint64_t, PageLevel>> accepted;
    int calls = 0;

    auto function() {
        return [this](Gpa page, PageLevel level) {
            ++calls;
            auto& queue = answers[{page.value, level}];
            if (!queue.empty()) {
                const Status answer{queue.front()};
                queue.erase(queue.begin());
                return answer;
            }
            if (level == PageLevel::size_2m && !grants_large_pages)
                return Status{size_mismatch};
            accepted.emplace_back(page.value, level);
            return Status{};
        };
    }
};

TEST_CASE("the plan is the unaccepted memory without what is kept", "[acceptance]") {
    hob::MemoryList list = unaccepted({stretch(0, 8 * MiB), stretch(11 * MiB, 20 * MiB)});
    REQUIRE(list.push({stretch(30 * MiB, 40 * MiB), true}));
    const std::vector<GpaRange> kept{stretch(4 * MiB, 5 * MiB), stretch(0, 64 * KiB),
                                     stretch(10 * MiB, 12 * MiB), stretch(19 * MiB, 25 * MiB)};
    const auto plan = AcceptancePlan::make(list, kept);
    REQUIRE(plan.has_value());
    CHECK(text_of(*plan) == "64-4096 5120-8192 12288-19456 ");
    CHECK(plan->bytes() == 4 * MiB - 64 * KiB + 3 * MiB + 7 * MiB);
}

TEST_CASE("memory that is kept wholly leaves nothing", "[acceptance]") {
    const std::vector<GpaRange> kept{stretch(0, 16 * MiB)};
    const auto plan = AcceptancePlan::make(unaccepted({stretch(4 * MiB, 8 * MiB)}), kept);
    REQUIRE(plan.has_value());
    CHECK(plan->ranges().empty());
    CHECK(plan->units() == 0);
}

TEST_CASE("units cover the plan, each byte once, and end where large pages do", "[acceptance]") {
    const auto plan =
        AcceptancePlan::make(unaccepted({stretch(4 * KiB, 70 * MiB), stretch(96 * MiB, 128 * MiB),
                                         stretch(4 * GiB + 12 * KiB, 4 * GiB + 16 * KiB)}),
                             {});
    REQUIRE(plan.has_value());
    REQUIRE(plan->units() == 14);
    std::vector<GpaRange> units;
    for (std::size_t i = 0; i < plan->units(); ++i)
        units.push_back(plan->unit(i));
    CHECK(units.front() == stretch(4 * KiB, 8 * MiB));
    for (std::size_t i = 1; i < 8; ++i)
        CHECK(units[i] == stretch(i * 8 * MiB, (i + 1) * 8 * MiB));
    CHECK(units[8] == stretch(64 * MiB, 70 * MiB));
    for (std::size_t i = 0; i < 4; ++i)
        CHECK(units[9 + i] == stretch((96 + 8 * i) * MiB, (104 + 8 * i) * MiB));
    CHECK(units.back() == stretch(4 * GiB + 12 * KiB, 4 * GiB + 16 * KiB));
}

TEST_CASE("what is not accepted now is left in whole large pages", "[acceptance]") {
    const hob::MemoryList list =
        unaccepted({stretch(0, 8 * MiB), stretch(9 * MiB, 21 * MiB), stretch(GiB, GiB + 5 * MiB)});
    const auto plan = AcceptancePlan::make(list, {}, Extent::ends);
    REQUIRE(plan.has_value());
    CHECK(text_of(*plan) == "9216-10240 20480-21504 1052672-1053696 ");
    CHECK(text_of(plan->left()) == "0-8192 10240-20480 1048576-1052672 ");
}

TEST_CASE("a little memory is accepted whole, however little is asked for", "[acceptance]") {
    const auto plan = AcceptancePlan::make(
        unaccepted({stretch(MiB, 2 * MiB), stretch(3 * MiB, 5 * MiB)}), {}, Extent::ends);
    REQUIRE(plan.has_value());
    CHECK(text_of(*plan) == "1024-2048 3072-5120 ");
    CHECK(plan->left().empty());
}

TEST_CASE("too many pieces are refused", "[acceptance]") {
    std::vector<GpaRange> kept;
    for (std::uint64_t i = 0; i < 160; ++i)
        kept.push_back(stretch((2 * i + 1) * MiB, (2 * i + 2) * MiB));
    require_refused(AcceptancePlan::make(unaccepted({stretch(0, GiB)}), kept),
                    Fault::too_many_entries, 320 * MiB, 160, 161);
}

TEST_CASE("large pages are taken where they fit, small ones at the ends", "[acceptance]") {
    Module module;
    AcceptanceCounts counts;
    REQUIRE(accept(stretch(2 * MiB - 8 * KiB, 6 * MiB + 4 * KiB), counts, module.function()));
    CHECK(counts.small_pages == 3);
    CHECK(counts.large_pages == 2);
    CHECK(counts.size_mismatches == 0);
    CHECK(module.accepted[2] == std::pair{2 * MiB, PageLevel::size_2m});
}

TEST_CASE("a large page that the VMM gives in small ones comes out in small ones", "[acceptance]") {
    Module module;
    module.answers[{2 * MiB, PageLevel::size_2m}] = {size_mismatch};
    AcceptanceCounts counts;
    REQUIRE(accept(stretch(0, 6 * MiB), counts, module.function()));
    CHECK(counts.small_pages == 512);
    CHECK(counts.large_pages == 2);
    CHECK(counts.size_mismatches == 1);
}

TEST_CASE("after three refusals the rest of a unit goes by small pages", "[acceptance]") {
    Module module;
    module.grants_large_pages = false;
    AcceptanceCounts counts;
    REQUIRE(accept(stretch(0, 32 * MiB), counts, module.function()));
    CHECK(counts.small_pages == 32 * MiB / page_size);
    CHECK(counts.large_pages == 0);
    CHECK(counts.size_mismatches == 3);
}

TEST_CASE("a busy page is tried again, not for ever", "[acceptance]") {
    Module module;
    module.answers[{0, PageLevel::size_4k}] = {busy, busy, busy};
    AcceptanceCounts counts;
    REQUIRE(accept(stretch(0, 4 * KiB), counts, module.function()));
    CHECK(module.calls == 4);

    int calls = 0;
    const auto always_busy = [&](Gpa, PageLevel) {
        ++calls;
        return Status{busy};
    };
    require_refused(accept(stretch(0, 4 * KiB), counts, always_busy), Fault::page_not_accepted, 0,
                    0, busy);
    CHECK(calls == max_busy_attempts);
}

TEST_CASE("a page that was accepted before is never passed over", "[acceptance]") {
    AcceptanceCounts counts;
    Module small;
    small.answers[{8 * KiB, PageLevel::size_4k}] = {already_accepted_4k};
    require_refused(accept(stretch(0, 16 * KiB), counts, small.function()),
                    Fault::page_already_accepted, 8 * KiB, 0, already_accepted_4k);
    CHECK(small.accepted.size() == 2);
    Module large;
    large.answers[{2 * MiB, PageLevel::size_2m}] = {already_accepted_2m};
    require_refused(accept(stretch(0, 8 * MiB), counts, large.function()),
                    Fault::page_already_accepted, 2 * MiB, 0, already_accepted_2m);
}

TEST_CASE("any other status ends the acceptance", "[acceptance]") {
    AcceptanceCounts counts;
    Module module;
    module.answers[{0, PageLevel::size_2m}] = {operand_invalid};
    require_refused(accept(stretch(0, 4 * MiB), counts, module.function()),
                    Fault::page_not_accepted, 0, 0, operand_invalid);
    Module mismatch;
    mismatch.answers[{0, PageLevel::size_4k}] = {size_mismatch};
    require_refused(accept(stretch(0, 4 * KiB), counts, mismatch.function()),
                    Fault::page_not_accepted, 0, 0, size_mismatch);
}

}} // namespace tdshim::memory
