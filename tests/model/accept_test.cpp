// SPDX-License-Identifier: Apache-2.0
//
// tools/tdx-model: acceptance of memory, and who may access which page.

#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "tests/model/fixture.hpp"

namespace tdshim::tdx_model { namespace {

TEST_CASE("a pending page is accepted once, at either size", "[model]") {
    Fixture fixture;
    CHECK(fixture.status({{rax, 6}, {rcx, MiB}}) == 0);
    CHECK(fixture.state(MiB) == PageState::accepted);
    CHECK(fixture.status({{rax, 6}, {rcx, MiB}}) == 0x0000'0B0A'0000'0000);
    CHECK(fixture.status({{rax, 6}, {rcx, 2 * MiB | 1}}) == 0);
    CHECK(fixture.status({{rax, 6}, {rcx, 2 * MiB | 1}}) == 0x0000'0B0A'0000'0001);
    CHECK(fixture.status({{rax, 6}, {rcx, 2 * MiB + 4096}}) == 0x0000'0B0A'0000'0001);
    CHECK(fixture.td.counts().small_pages == 1);
    CHECK(fixture.td.counts().large_pages == 1);
}

TEST_CASE("a large page with a page of another state mismatches in size", "[model]") {
    Fixture fixture;
    CHECK(fixture.status({{rax, 6}, {rcx, 0 | 1}}) == 0xC000'0B0B'0000'0001);
    CHECK(fixture.status({{rax, 6}, {rcx, 4 * MiB + 8192}}) == 0);
    CHECK(fixture.status({{rax, 6}, {rcx, 4 * MiB | 1}}) == 0xC000'0B0B'0000'0001);
    for (std::uint64_t page = 4 * MiB; page < 6 * MiB; page += 4096)
        static_cast<void>(fixture.call({{rax, 6}, {rcx, page}}));
    CHECK(fixture.status({{rax, 6}, {rcx, 4 * MiB | 1}}) == 0xC000'0B0B'0000'0001);
    Fixture small({.grants_large_pages = false});
    CHECK(small.status({{rax, 6}, {rcx, 4 * MiB | 1}}) == 0xC000'0B0B'0000'0001);
}

TEST_CASE("bad operands of PAGE.ACCEPT are invalid", "[model]") {
    Fixture fixture;
    for (const std::uint64_t operand : {4 * MiB | 2, 4 * MiB | 8, 4 * MiB | shared_bit,
                                        4 * MiB | std::uint64_t{1} << 52, (4 * MiB + 4096) | 1})
        CHECK(fixture.status({{rax, 6}, {rcx, operand}}) == operand_rcx);
}

TEST_CASE("acceptance of what the VMM cannot give ends the run", "[model]") {
    Fixture fixture;
    for (const std::uint64_t level : {0ULL, 1ULL}) {
        const auto absent = fixture.call({{rax, 6}, {rcx, 2 * ram_size | level}}).finding;
        REQUIRE(absent);
        CHECK(absent->rule == "acceptance of memory that the VMM does not have");
        CHECK(absent->address == 2 * ram_size);
        fixture.td.pages().set(GpaRange::between({8 * MiB}, {10 * MiB}), PageState::shared);
        CHECK(fixture.call({{rax, 6}, {rcx, 8 * MiB | level}}).finding->rule ==
              "acceptance of memory that is shared");
    }
    // Where a device takes the addresses there is no private memory, and no large page.
    CHECK(fixture.call({{rax, 6}, {rcx, 40 * MiB + 4096}}).finding->rule ==
          "acceptance of memory that the VMM does not have");
    CHECK(fixture.status({{rax, 6}, {rcx, 40 * MiB | 1}}) == 0xC000'0B0B'0000'0001);
    CHECK(fixture.status({{rax, 6}, {rcx, 40 * MiB + 8192}}) == 0);
    // Of a stretch that is shared in part the VMM maps small pages.
    fixture.td.pages().set(GpaRange::between({8 * MiB}, {9 * MiB}), PageState::pending);
    CHECK(fixture.status({{rax, 6}, {rcx, 8 * MiB | 1}}) == 0xC000'0B0B'0000'0001);
    CHECK(fixture.status({{rax, 6}, {rcx, 8 * MiB}}) == 0);
    // Where they were once, their table stays.
    fixture.td.pages().set(GpaRange::between({8 * MiB}, {10 * MiB}), PageState::pending);
    CHECK(fixture.status({{rax, 6}, {rcx, 8 * MiB | 1}}) == 0xC000'0B0B'0000'0001);
}

TEST_CASE("a large page of which a part is shared is split", "[model]") {
    Fixture fixture;
    CHECK(fixture.status({{rax, 6}, {rcx, 6 * MiB | 1}}) == 0);
    static_cast<void>(fixture.vmcall(0x10001, {{r12, (6 * MiB + 4096) | shared_bit}, {r13, 4096}}));
    CHECK(fixture.state(6 * MiB) == PageState::accepted);
    CHECK(fixture.state(6 * MiB + 4096) == PageState::shared);
    CHECK(fixture.status({{rax, 6}, {rcx, 6 * MiB}}) == 0x0000'0B0A'0000'0000);
    CHECK(fixture.status({{rax, 6}, {rcx, 6 * MiB | 1}}) == 0xC000'0B0B'0000'0001);
}

TEST_CASE("accepted memory is zero, and no other is touched", "[model]") {
    Fixture fixture;
    std::ranges::fill(fixture.memory.bytes, std::byte{0x5A});
    const auto is = [&](std::uint64_t at, std::byte value) {
        return fixture.memory.bytes[at] == value && fixture.memory.bytes[at + 4095] == value;
    };
    CHECK(fixture.status({{rax, 6}, {rcx, 2 * MiB + 4096}}) == 0);
    CHECK(is(2 * MiB + 4096, std::byte{0}));
    CHECK(is(2 * MiB, std::byte{0x5A}));
    CHECK(is(2 * MiB + 8192, std::byte{0x5A}));
    CHECK(fixture.status({{rax, 6}, {rcx, 4 * MiB | 1}}) == 0);
    CHECK(is(4 * MiB, std::byte{0}));
    CHECK(is(6 * MiB - 4096, std::byte{0}));
    CHECK(is(6 * MiB, std::byte{0x5A}));
    // What was accepted already keeps its content.
    CHECK(fixture.status({{rax, 6}, {rcx, 0}}) == 0x0000'0B0A'0000'0000);
    CHECK(is(0, std::byte{0x5A}));
}

TEST_CASE("acceptance writes nothing to memory that is zero", "[model]") {
    Fixture fixture;
    CHECK(fixture.status({{rax, 6}, {rcx, 4 * MiB | 1}}) == 0);
    CHECK(fixture.memory.writes == 0);
}

TEST_CASE("the states of 64 GiB take little memory", "[model]") {
    Pages pages;
    const GpaRange ram = GpaRange::between({0}, {64 * GiB});
    pages.add_ram(ram);
    CHECK(pages.footprint() == 0);
    for (std::uint64_t at = 0; at < ram.end().value; at += page_size)
        pages.set(GpaRange::between({at}, {at + page_size}), PageState::accepted);
    CHECK(pages.footprint() <= 2 * MiB);
    CHECK(pages.mapping({63 * GiB}) == Mapping::small);
    pages.set(GpaRange::between({page_size}, {64 * GiB - page_size}), PageState::shared);
    CHECK(pages.state({0}) == PageState::accepted);
    CHECK(pages.state({page_size}) == PageState::shared);
    CHECK_FALSE(pages.common_state({0}));
    CHECK(pages.common_state({2 * MiB}) == PageState::shared);
    CHECK(pages.state({64 * GiB - page_size}) == PageState::accepted);
}

TEST_CASE("RAM may begin and end inside of a stretch of 2 MiB", "[model]") {
    Pages pages;
    pages.add_ram(GpaRange::between({MiB}, {5 * MiB}));
    CHECK_FALSE(pages.common_state({0}));
    CHECK(pages.common_state({2 * MiB}) == PageState::pending);
    pages.set(GpaRange::between({4 * MiB}, {4 * MiB + page_size}), PageState::shared);
    CHECK(pages.state({0}) == PageState::absent);
    CHECK(pages.state({5 * MiB - page_size}) == PageState::pending);
    CHECK(pages.state({5 * MiB}) == PageState::absent);
}

TEST_CASE("a page that the VMM re-adds is pending, whatever it was", "[model]") {
    Fixture fixture;
    constexpr std::uint64_t added = 0x5000;
    constexpr std::uint64_t accepted = 2 * MiB;
    constexpr std::uint64_t of_large = 4 * MiB + page_size;
    constexpr std::uint64_t pending = 8 * MiB;
    CHECK(fixture.status({{rax, 6}, {rcx, accepted}}) == 0);
    CHECK(fixture.status({{rax, 6}, {rcx, 4 * MiB | 1}}) == 0);
    for (const std::uint64_t page : {added, accepted, of_large, pending}) {
        fixture.td.readd({page});
        CHECK(fixture.state(page) == PageState::pending);
        CHECK(fixture.td.check_access({page}, 8)->rule == "access to memory that is pending");
    }
    CHECK(fixture.td.counts().readded_pages == 4);
    CHECK_FALSE(fixture.td.check_access({of_large + page_size}, 8));
    CHECK(fixture.td.find_pending(GpaRange::between({0}, {MiB}))->value == added);
    CHECK_FALSE(fixture.td.find_pending(GpaRange::between({0}, {added})));
    CHECK(fixture.status({{rax, 6}, {rcx, pending}}) == 0);
    for (const std::uint64_t page : {added, accepted, of_large}) {
        const auto finding = fixture.call({{rax, 6}, {rcx, page}}, 1).finding;
        REQUIRE(finding);
        CHECK(finding->rule == "a page is accepted twice");
        CHECK(finding->address == page);
    }
}

TEST_CASE("a page may be accepted again once the TD has made it shared", "[model]") {
    Fixture fixture;
    constexpr std::uint64_t page = 2 * MiB;
    const auto map = [&](std::uint64_t address) {
        static_cast<void>(fixture.vmcall(0x10001, {{r12, address}, {r13, page_size}}));
    };
    CHECK(fixture.status({{rax, 6}, {rcx, page}}) == 0);
    map(page | shared_bit);
    fixture.td.readd({page}); // nothing private is there to be removed
    CHECK(fixture.state(page) == PageState::shared);
    map(page);
    CHECK(fixture.status({{rax, 6}, {rcx, page}}) == 0);
    fixture.td.readd({page});
    map(page); // it is private already
    CHECK(fixture.call({{rax, 6}, {rcx, page}}).finding);
    map(page | shared_bit);
    map(page);
    CHECK(fixture.status({{rax, 6}, {rcx, page}}) == 0);
    CHECK(fixture.td.counts().readded_pages == 1);
}

TEST_CASE("an access is judged by both its ends", "[model]") {
    Fixture fixture;
    CHECK_FALSE(fixture.td.check_access({MiB - 8}, 8));
    CHECK(fixture.td.check_access({MiB - 4}, 8)->address == MiB + 3);
    CHECK(fixture.td.check_access({ram_size}, 1)->rule == "access to memory that is absent");
}

}} // namespace tdshim::tdx_model
