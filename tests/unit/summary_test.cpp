// SPDX-License-Identifier: Apache-2.0
//
// tools/measurements: what the tools call an event, and how they show its data in a line.

#include <catch2/catch_test_macros.hpp>

#include "tests/unit/support.hpp"
#include "tools/measurements/event_names.hpp"
#include "tools/measurements/summary.hpp"

namespace tdshim::tools { namespace {

using namespace tdshim::test;
using event_log::EventType;

Summary summary_of(EventType type, const Blob& data) {
    return summarise({.mr_index = 3, .type = type, .digest = {}, .data = data.view()});
}

TEST_CASE("a bundle's events have the TCG's names", "[summary]") {
    CHECK(event_type_name(static_cast<std::uint32_t>(EventType::ipl)) == "EV_IPL");
    CHECK(event_type_name(static_cast<std::uint32_t>(EventType::event_tag)) == "EV_EVENT_TAG");
    CHECK(event_type_name(0x77) == "0x77");
}

TEST_CASE("a string event is shown without its NUL", "[summary]") {
    CHECK(summary_of(EventType::ipl, Blob().text("a \"text\"").u8(0)).data == "\"a \"text\"\"");
    CHECK(summary_of(EventType::ipl, Blob().text("no NUL")).data == "\"no NUL\"");
    CHECK(summary_of(EventType::ipl, Blob()).data.empty());
    CHECK(summary_of(EventType::ipl, Blob().u8(0)).data.empty());
    CHECK(summary_of(EventType::ipl, Blob().text("ab").u8(0).u8(0)).data == "61620000");
    CHECK(summary_of(EventType::ipl, Blob().u8(0x1B)).data == "1b");
    CHECK(summary_of(EventType::event_tag, Blob().u8(0xAB).u8(0)).data == "ab00");
    CHECK(summary_of(EventType::event_tag, Blob().text("TDSH").u32(2).u8(0xAB).u8(0)).data ==
          "ab00");
    CHECK(summary_of(EventType::event_tag, Blob().text("AAEL").u32(1).text("x")).data ==
          "4141454c0100000078");
}

TEST_CASE("a manifest is shown as its lines", "[summary]") {
    const Blob data = Blob().text("td_bundle").fill(7, 0).u32(16).text("tdshim-bundle 1\n");
    const Summary summary = summary_of(EventType::platform_config_flags, data);
    CHECK(summary.description == "td_bundle");
    CHECK(summary.data == "\"tdshim-bundle 1\\x0a\"");
}

}} // namespace tdshim::tools
