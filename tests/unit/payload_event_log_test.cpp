// SPDX-License-Identifier: Apache-2.0
//
// payload/runtime/event_log: what a payload adds to the firmware's log, as a reader finds it.

#include "payload/runtime/event_log.hpp"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "shim/formats/event_log/reader.hpp"
#include "shim/formats/event_log/writer.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::runtime { namespace {

using event_log::EventType;
using event_log::LogReader;
using event_log::LogWriter;

constexpr std::size_t area_size = 512;

/// The firmware's log with one event.
std::vector<std::byte> log_of_firmware() {
    std::vector<std::byte> area(area_size);
    LogWriter writer(area);
    REQUIRE(writer.append(2, EventType::separator, crypto::Digest{}, bytes_of(le32{0}), {}));
    return area;
}

TEST_CASE("an event goes behind the firmware's, whose end stays announced", "[payload]") {
    auto log = log_of_firmware();
    const Bytes data = bytes_of(std::string_view("mine"));
    const auto announced = LogReader::open(log)->announced();
    for (const std::uint32_t rtmr : {3U, 2U}) {
        const auto at = find_room(log, data.size());
        REQUIRE(at);
        REQUIRE(write_event(MutableBytes(log).subspan(*at), rtmr, digest_of_event(data), data));
    }

    auto reader = LogReader::open(log);
    REQUIRE(reader);
    CHECK(reader->announced() == announced);
    REQUIRE(reader->next());
    CHECK(reader->offset() == announced);
    for (const std::uint32_t rtmr : {3U, 2U}) {
        const auto event = reader->next();
        REQUIRE(event);
        REQUIRE(event->has_value());
        CHECK((*event)->mr_index == event_log::mr_index_of_rtmr(rtmr));
        CHECK((*event)->type == EventType::event_tag);
        CHECK((*event)->digest == crypto::sha384((*event)->data));
        const std::string_view tagged("TDSH\4\0\0\0mine", 12);
        CHECK(std::ranges::equal((*event)->data, bytes_of(tagged)));
    }
    const auto end = reader->next();
    REQUIRE(end);
    CHECK_FALSE(end->has_value());
}

TEST_CASE("an event needs room to its last byte", "[payload]") {
    auto log = log_of_firmware();
    const auto at = find_room(log, 0);
    REQUIRE(at);
    const std::size_t room =
        log.size() - *at - sizeof(event_log::EventHeader) - sizeof(event_log::TaggedEvent);
    const std::size_t left = log.size() - *at;
    CHECK(find_room(log, room));
    test::require_refused(find_room(log, room + 1), Fault::log_full, *at, left, room + 1);
    const std::vector<std::byte> data(room + 1);
    CHECK_FALSE(write_event(MutableBytes(log).subspan(*at), 3, {}, data));
    CHECK(write_event(MutableBytes(log).subspan(*at), 3, {}, Bytes(data).first(room)));
    test::require_refused(find_room(log, 0), Fault::log_full, log.size(), 0, 0);
}

}} // namespace tdshim::runtime
