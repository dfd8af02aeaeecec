// SPDX-License-Identifier: Apache-2.0
//
// tools/tdx-model: a VMM that misbehaves is bound by a TDVMCALL's mask like an honest one, and its
// calls are counted.

#include <catch2/catch_test_macros.hpp>

#include "tests/model/fixture.hpp"
#include "tools/tdx-model/hostile_td.hpp"

namespace tdshim::tdx_model { namespace {

struct Hostile : Fixture {
    explicit Hostile(Fault fault) : hostile(td, fault) {}

    std::uint64_t call(const std::map<Register, std::uint64_t>& in) {
        registers = {};
        for (const auto& [number, value] : in)
            registers[number] = value;
        last = hostile.tdcall(0, registers);
        return registers[rax];
    }
    std::uint64_t vmcall(std::uint64_t function, std::map<Register, std::uint64_t> in) {
        in.try_emplace(rcx, r10_to_r15);
        in[r11] = function;
        CHECK(call(in) == 0);
        return registers[r10];
    }

    HostileTd hostile;
    Outcome last;
};

TEST_CASE("an answer of a hostile VMM stays within the mask", "[model]") {
    Hostile hostile(Fault::ports_garbage);
    CHECK(hostile.vmcall(30, {{r12, 1}, {r14, 0x3F8}}) == 0);
    CHECK(hostile.registers[r11] != 30);
    CHECK(hostile.vmcall(30, {{rcx, 0xF400}, {r12, 1}, {r14, 0x3F8}}) == 0x8000'0000'0000'0003);
    CHECK(hostile.registers[r11] == 30);
    CHECK(hostile.call({{rax, 0}, {rcx, 0xFC01}, {r11, 30}}) == operand_rcx);
}

TEST_CASE("a call that a hostile VMM or module answers is counted", "[model]") {
    Hostile ports(Fault::ports_refused);
    CHECK(ports.vmcall(30, {{r12, 1}}) == 0x8000'0000'0000'0000);
    CHECK(ports.td.counts().tdcalls.at(0) == 1);
    CHECK(ports.td.counts().tdvmcalls.at(30) == 1);
    Hostile extend(Fault::extend_fails);
    CHECK(extend.call({{rax, 2}, {rcx, 0x1000}}) == operand_rcx);
    CHECK(extend.td.counts().tdcalls.at(2) == 1);
    Hostile busy(Fault::accept_busy);
    for (int i = 0; i < 4; ++i)
        CHECK(busy.call({{rax, 6}, {rcx, 2 * MiB}}) ==
              (i < 3 ? 0x8000'0200'0000'0001 : std::uint64_t{0}));
    CHECK(busy.td.counts().tdcalls.at(6) == 4);
    CHECK(busy.td.counts().small_pages == 1);
}

TEST_CASE("RTMR.EXTEND and MR.REPORT are busy with the registers' lock", "[model]") {
    Hostile extend(Fault::extend_busy);
    Hostile report(Fault::report_busy);
    for (int i = 0; i < 4; ++i) {
        const std::uint64_t status = i < 3 ? 0x8000'0200'0000'00A8 : std::uint64_t{0};
        CHECK(extend.call({{rax, 2}, {rcx, 0x1000}}) == status);
        CHECK(report.call({{rax, 4}, {rcx, 0x1000}, {rdx, 0x2000}}) == status);
    }
    Hostile extend_hint(Fault::extend_busy_hint);
    Hostile report_hint(Fault::report_busy_hint);
    Hostile accept_hint(Fault::accept_busy_hint);
    CHECK(extend_hint.call({{rax, 2}, {rcx, 0x1000}}) == 0x9000'0200'0000'00A8);
    CHECK(report_hint.call({{rax, 4}, {rcx, 0x1000}, {rdx, 0x2000}}) == 0x9000'0200'0000'00A8);
    CHECK(accept_hint.call({{rax, 6}, {rcx, 2 * MiB}}) == 0x9000'0200'0000'0001);
    Hostile warns(Fault::report_warns);
    CHECK(warns.call({{rax, 4}, {rcx, 0x1000}, {rdx, 0x2000}}) == 1ULL << 32);
    CHECK(warns.memory.writes == 0);
}

TEST_CASE("a page that the VMM takes away ends the TD at its next access", "[model]") {
    Hostile hostile(Fault::withdrawn_page);
    constexpr std::uint64_t page = 16 * MiB;
    CHECK(hostile.call({{rax, 6}, {rcx, page}}) == 0);
    CHECK(hostile.state(page) == PageState::withdrawn);
    CHECK(hostile.td.check_access({page}, 8)->rule == "access to memory that is withdrawn");
    CHECK(hostile.call({{rax, 2}, {rcx, page}}) == 2);
    CHECK(hostile.last.finding->rule == "access to memory that is withdrawn");
    static_cast<void>(hostile.call({{rax, 6}, {rcx, page}}));
    CHECK(hostile.last.finding->rule == "acceptance of memory that the VMM does not have");
    CHECK(hostile.call({{rax, 6}, {rcx, page + page_size}}) == 0);
    CHECK_FALSE(hostile.td.check_access({page + page_size}, 8));
    // As a part of a large page as well.
    Hostile large(Fault::withdrawn_page);
    CHECK(large.call({{rax, 6}, {rcx, page | 1}}) == 0);
    CHECK(large.td.check_access({page}, 8));
    CHECK_FALSE(large.td.check_access({page + page_size}, 8));
}

TEST_CASE("a page that was accepted and is re-added ends the TD as well", "[model]") {
    Hostile hostile(Fault::readded_page);
    constexpr std::uint64_t page = 16 * MiB;
    CHECK(hostile.call({{rax, 6}, {rcx, page}}) == 0);
    CHECK(hostile.state(page) == PageState::pending);
    CHECK(hostile.call({{rax, 2}, {rcx, page}}) == 2);
    CHECK(hostile.last.finding->rule == "access to memory that is pending");
    static_cast<void>(hostile.call({{rax, 6}, {rcx, page}}));
    CHECK(hostile.last.finding->rule == "a page is accepted twice");
}

TEST_CASE("MapGPA goes on a page at a time", "[model]") {
    Hostile hostile(Fault::map_gpa_piecemeal);
    const std::uint64_t start = (4 * MiB) | shared_bit;
    CHECK(hostile.vmcall(0x10001, {{r12, start}, {r13, 2 * page_size}}) == 1);
    CHECK(hostile.registers[r11] == start + page_size);
    CHECK(hostile.registers[r13] == 2 * page_size);
    CHECK(hostile.state(4 * MiB) == PageState::shared);
    CHECK(hostile.state(4 * MiB + page_size) == PageState::pending);
    CHECK(hostile.vmcall(0x10001, {{r12, start + page_size}, {r13, page_size}}) == 0);
    CHECK(hostile.state(4 * MiB + page_size) == PageState::shared);
}

}} // namespace tdshim::tdx_model
