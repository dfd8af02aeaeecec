// SPDX-License-Identifier: Apache-2.0
//
// tools/td-emu: when a fault file's pages go and its vCPUs stop and go on, counted in TDCALLs.

#include <catch2/catch_test_macros.hpp>

#include "tests/model/fixture.hpp"
#include "tools/td-emu/schedule.hpp"

namespace tdshim::td_emu { namespace {

using tdx_model::Fixture;
using tdx_model::PageState;

constexpr std::uint64_t page = 0x5000; // the fixture's TD has it from the start
constexpr std::uint64_t somewhere = 0x80'1234;

struct Scheduled : Fixture {
    explicit Scheduled(std::string_view text)
        : schedule(parse_faults(text).value_or(Faults{}), defaults.vcpus, td) {
        REQUIRE(parse_faults(text));
        schedule.begin();
    }
    bool is_there() { return state(page) == PageState::accepted; }

    Schedule schedule;
};

TEST_CASE("a page without a call goes before the first", "[td-emu]") {
    Scheduled td(R"([{"readd": {"address": "0x5000"}}])");
    CHECK_FALSE(td.is_there());
}

TEST_CASE("a page goes when a vCPU, or the TD, is about to make its call", "[td-emu]") {
    Scheduled by_vcpu(R"([{"readd": {"address": "0x5000", "vcpu": 1, "call": 2}}])");
    for (const unsigned vcpu : {1U, 0U, 0U, 2U})
        CHECK_FALSE(by_vcpu.schedule.holds_call(vcpu));
    CHECK(by_vcpu.is_there());
    CHECK_FALSE(by_vcpu.schedule.holds_call(1));
    CHECK_FALSE(by_vcpu.is_there());

    Scheduled by_all(R"([{"readd": {"address": "0x5000", "call": 3}}])");
    CHECK_FALSE(by_all.schedule.holds_call(0));
    CHECK_FALSE(by_all.schedule.holds_call(2));
    CHECK(by_all.is_there());
    CHECK_FALSE(by_all.schedule.holds_call(1));
    CHECK_FALSE(by_all.is_there());
}

TEST_CASE("a vCPU stops before a call until another one comes to one", "[td-emu]") {
    Scheduled td(R"([{"stop": {"vcpu": 1, "call": 2, "until": {"vcpu": 2, "call": 1}}},
                     {"readd": {"address": "0x5000", "vcpu": 1, "call": 3}}])");
    CHECK_FALSE(td.schedule.holds_call(1));
    for (int i = 0; i < 3; ++i) // the same call, which counts once
        CHECK(td.schedule.holds_call(1));
    CHECK_FALSE(td.schedule.holds_call(0));
    CHECK(td.schedule.holds_call(1));
    CHECK_FALSE(td.schedule.holds_call(2));
    CHECK_FALSE(td.schedule.holds_call(1));
    CHECK(td.is_there());
    CHECK_FALSE(td.schedule.holds_call(1));
    CHECK_FALSE(td.is_there());
}

TEST_CASE("a vCPU stops at an instruction, once it is at its call", "[td-emu]") {
    Scheduled td(
        R"([{"stop": {"vcpu": 1, "address": "0x801234", "call": 1, "until": {"call": 3}}}])");
    CHECK(td.schedule.watches(somewhere));
    CHECK_FALSE(td.schedule.watches(somewhere + 1));
    CHECK_FALSE(td.schedule.holds_at(1, somewhere));
    CHECK_FALSE(td.schedule.holds_call(1));
    CHECK(td.schedule.holds_at(1, somewhere));
    CHECK_FALSE(td.schedule.holds_at(2, somewhere));
    CHECK_FALSE(td.schedule.holds_call(2));
    CHECK(td.schedule.holds_at(1, somewhere));
    CHECK_FALSE(td.schedule.holds_call(2)); // the third of all
    CHECK_FALSE(td.schedule.holds_at(1, somewhere));
}

TEST_CASE("a vCPU that there is not stops nobody and wakes nobody", "[td-emu]") {
    Scheduled td(R"([{"stop": {"vcpu": 9, "call": 1}},
                     {"stop": {"vcpu": 0, "call": 1, "until": {"vcpu": 9, "call": 1}}}])");
    CHECK_FALSE(td.schedule.holds_call(1));
    CHECK(td.schedule.holds_call(0));
}

}} // namespace tdshim::td_emu
