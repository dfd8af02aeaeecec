// SPDX-License-Identifier: Apache-2.0
//
// tools/td-emu: which ends of a run are a TD's own, and which are a finding.

#include <catch2/catch_test_macros.hpp>

#include "tools/td-emu/run_end.hpp"

namespace tdshim::td_emu { namespace {

using nlohmann::ordered_json;

/// As the plugin leaves it where QEMU ended while the payload ran.
ordered_json of_payload() {
    return {{"payload_entered", true},
            {"payload_is_linux", true},
            {"payload_tdcalls", 1},
            {"stopped", false},
            {"last_blocks", {0xFFFF'FFFF'8100'0000, 0, 0x9000}},
            {"finding", ""},
            {"fatal_error", ""}};
}

ordered_json judged(ordered_json result, std::string_view reason) {
    judge_end(result, reason);
    CHECK_FALSE(result.contains("stopped"));
    CHECK_FALSE(result.contains("last_blocks"));
    return result;
}

bool has_finding(const ordered_json& result) {
    return !result.at("finding").get<std::string>().empty();
}

TEST_CASE("the reason is the one of QEMU's last SHUTDOWN", "[td-emu]") {
    CHECK(shutdown_reason("").empty());
    CHECK(shutdown_reason("{\"QMP\": {}}\r\n{\"return\": {}}\r\n{\"event\": \"RESUME\"}\r\n")
              .empty());
    CHECK(shutdown_reason("{\"return\": {}}\r\n{\"timestamp\": {\"seconds\": 1}, \"event\": "
                          "\"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": "
                          "\"guest-reset\"}}\r\n") == "guest-reset");
    CHECK(shutdown_reason("{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-reset\"}}") ==
          "guest-reset");
    CHECK(shutdown_reason("{\"event\": \"SHUTDOWN\"}\n3\n{\"event\": \"SHUT").empty());
}

TEST_CASE("power-off of a payload is no finding", "[td-emu]") {
    const auto result = judged(of_payload(), "guest-shutdown");
    CHECK(result.at("end") == "power-off");
    CHECK_FALSE(has_finding(result));
}

TEST_CASE("a Linux that made no TDCALL is a finding, another payload is not", "[td-emu]") {
    auto silent = of_payload();
    silent["payload_tdcalls"] = 0;
    const auto result = judged(silent, "guest-shutdown");
    CHECK(result.at("end") == "power-off");
    CHECK(result.at("finding").get<std::string>().contains("CONFIG_INTEL_TDX_GUEST"));
    CHECK(judged(silent, "guest-reset")
              .at("finding")
              .get<std::string>()
              .contains("CONFIG_INTEL_TDX_GUEST"));
    silent["payload_is_linux"] = false;
    CHECK_FALSE(has_finding(judged(silent, "guest-shutdown")));
}

TEST_CASE("a reset is a finding that says where, also when a payload runs", "[td-emu]") {
    const auto result = judged(of_payload(), "guest-reset");
    CHECK(result.at("end") == "reset");
    const std::string finding = result.at("finding");
    CHECK(finding.starts_with(
        "RIP 0xffffffff81000000 (vCPU 0), RIP 0x9000 (vCPU 2): the TD was reset, "));
    CHECK(finding.contains("--trace FILE"));
}

TEST_CASE("an end of which nothing is known is a finding", "[td-emu]") {
    for (const char* reason : {"", "guest-panic", "subsystem-reset", "a reason to come"}) {
        const auto result = judged(of_payload(), reason);
        CHECK(result.at("end") == "unknown");
        CHECK(has_finding(result));
    }
}

TEST_CASE("power-off before a payload is a finding, without a RIP if none is known", "[td-emu]") {
    auto result = of_payload();
    result["payload_entered"] = false;
    result["last_blocks"] = {0};
    result = judged(result, "guest-shutdown");
    CHECK(result.at("end") == "power-off");
    CHECK(result.at("finding") == "no RIP known: the TD powered off before a payload began");
}

TEST_CASE("who ends QEMU from outside is told so, and nothing is found", "[td-emu]") {
    for (const char* reason : {"host-signal", "host-qmp-quit"}) {
        const auto result = judged(of_payload(), reason);
        CHECK(result.at("end") == "from-outside");
        CHECK_FALSE(has_finding(result));
    }
}

TEST_CASE("what the plugin ended keeps its words, whatever QEMU says", "[td-emu]") {
    auto waited_for = of_payload();
    waited_for["stopped"] = true;
    auto found = waited_for;
    found["finding"] = "RIP 0x1: a rule (address 0x2)";
    auto fatal = waited_for;
    fatal["fatal_error"] = "no kernel";
    for (const char* reason : {"", "guest-reset"}) {
        CHECK(judged(waited_for, reason).at("end") == "payload");
        CHECK_FALSE(has_finding(judged(waited_for, reason)));
        CHECK(judged(found, reason).at("end") == "finding");
        CHECK(judged(found, reason).at("finding") == found.at("finding"));
        CHECK(judged(fatal, reason).at("end") == "fatal-error");
        CHECK_FALSE(has_finding(judged(fatal, reason)));
    }
}

}} // namespace tdshim::td_emu
