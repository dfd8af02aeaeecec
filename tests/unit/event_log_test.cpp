// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/event_log: the writer's bytes against the specification, the reader on those bytes
// and on broken ones.

#include <array>
#include <catch2/catch_test_macros.hpp>

#include "shim/formats/event_log/reader.hpp"
#include "shim/formats/event_log/writer.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::event_log { namespace {

using test::Blob;
using test::copy_of;
using test::require_refused;

constexpr std::size_t header_size = 32 + 45;

/// TCG_PCClientPCREvent with TCG_EfiSpecIDEvent, of a log of `used` bytes.
Blob header_event(std::size_t used = header_size) {
    Blob log;
    log.u32(0).u32(3).fill(20, 0).u32(33 + 12);
    log.text("Spec ID Event03").u8(0).u32(0).u8(0).u8(2).u8(105).u8(2);
    log.u32(1).u16(0x0C).u16(48).u8(12).text("td_shim").u8(0).u32(used);
    return log;
}

/// CC_EVENT whose digest is 48 times `digest`.
Blob event_bytes(std::uint32_t index, std::uint32_t type, unsigned digest, const Blob& data) {
    Blob event;
    event.u32(index)
        .u32(type)
        .u32(1)
        .u16(0x0C)
        .fill(48, digest)
        .u32(data.size())
        .bytes(data.view());
    return event;
}

Blob log_of(const Blob& events) {
    return header_event(header_size + events.size()).bytes(events.view());
}

crypto::Digest digest_of(unsigned value) {
    crypto::Digest digest;
    digest.fill(std::byte(value));
    return digest;
}

LogReader open_log(const Blob& log) {
    auto reader = LogReader::open(log.view());
    REQUIRE(reader.has_value());
    return *reader;
}

Event first_event(const Blob& log) {
    LogReader reader = open_log(log);
    const auto event = reader.next();
    REQUIRE(event.has_value());
    REQUIRE(event->has_value());
    return **event;
}

TEST_CASE("a new log is the header event and 0xFF", "[event_log]") {
    std::array<std::byte, 128> area{};
    const LogWriter writer(area);
    CHECK(writer.used() == header_size);
    Blob expected = header_event();
    expected.fill(area.size() - header_size, 0xFF);
    CHECK(copy_of(area) == expected.vector());
}

TEST_CASE("events stand byte for byte in the order of their appending", "[event_log]") {
    std::array<std::byte, 512> area{};
    LogWriter writer(area);
    const Blob head = Blob().text("td_hob").fill(10, 0).u32(3);
    const Blob zero = Blob().u32(0);
    REQUIRE(writer.append(1, EventType::platform_config_flags, digest_of(0xAB), head.view(),
                          Blob().text("xyz").view()));
    REQUIRE(writer.append(2, EventType::separator, digest_of(0xCD), zero.view(), {}));

    Blob events = event_bytes(1, 0xA, 0xAB, Blob().bytes(head.view()).text("xyz"));
    events.bytes(event_bytes(2, 4, 0xCD, zero).view());
    Blob expected = log_of(events);
    CHECK(writer.used() == expected.size());
    expected.fill(area.size() - expected.size(), 0xFF);
    CHECK(copy_of(area) == expected.vector());
}

TEST_CASE("an event that does not fit is refused whole", "[event_log]") {
    std::array<std::byte, header_size + 66 + 4> area{};
    LogWriter writer(area);
    const auto before = copy_of(area);
    const Blob five = Blob().fill(5, 1);
    require_refused(
        writer.append(1, EventType::separator, {}, five.view().first(2), five.view().last(3)),
        Fault::log_full, header_size, 71, 70);
    CHECK(copy_of(area) == before);
    CHECK(writer.used() == header_size);
    CHECK(writer.append(1, EventType::separator, {}, five.view().first(4), {}).has_value());
    CHECK(writer.used() == area.size());
    require_refused(writer.append(1, EventType::separator, {}, {}, {}), Fault::log_full,
                    header_size + 70, 66, 0);
}

TEST_CASE("events are read back with their offsets", "[event_log]") {
    const Blob data = Blob().text("payload");
    Blob log = log_of(event_bytes(1, 0x8000000A, 0x11, data));
    log.bytes(event_bytes(4, 0x12345678, 0x22, Blob()).view()).fill(100, 0xFF);
    LogReader reader = open_log(log);
    CHECK(copy_of(reader.vendor_info()).size() == 12);
    CHECK(reader.announced() == header_size + 66 + 7);
    CHECK(reader.offset() == header_size);

    const auto first = reader.next();
    REQUIRE(first.has_value());
    REQUIRE(first->has_value());
    CHECK((*first)->offset == header_size);
    CHECK((*first)->mr_index == 1);
    CHECK((*first)->type == EventType::platform_firmware_blob2);
    CHECK((*first)->digest == digest_of(0x11));
    CHECK(copy_of((*first)->data) == data.vector());

    const auto second = reader.next();
    REQUIRE(second.has_value());
    REQUIRE(second->has_value());
    CHECK((*second)->offset == header_size + 66 + 7);
    CHECK((*second)->mr_index == 4);
    CHECK(static_cast<std::uint32_t>((*second)->type) == 0x12345678);

    const auto end = reader.next();
    REQUIRE(end.has_value());
    CHECK_FALSE(end->has_value());
    CHECK(reader.offset() == header_size + 66 + 7 + 66);
}

TEST_CASE("a log may fill its area to the last byte", "[event_log]") {
    const Blob log = log_of(event_bytes(1, 4, 0, Blob().u32(0)));
    LogReader reader = open_log(log);
    REQUIRE(reader.next().has_value());
    const auto end = reader.next();
    REQUIRE(end.has_value());
    CHECK_FALSE(end->has_value());
    CHECK(reader.offset() == log.size());
}

TEST_CASE("zeros to the end of the area end a log too", "[event_log]") {
    const Blob events = log_of(event_bytes(1, 4, 0, Blob().u32(0)));
    const auto read_to_end = [&](const Blob& tail) {
        const Blob log = Blob().bytes(events.view()).bytes(tail.view());
        LogReader reader = open_log(log);
        REQUIRE(reader.next().has_value());
        const auto end = reader.next();
        return end.has_value() && !end->has_value() && reader.offset() == events.size();
    };
    CHECK(read_to_end(Blob().fill(8, 0)));
    CHECK(read_to_end(Blob().fill(1024, 0)));
    CHECK_FALSE(read_to_end(Blob().fill(7, 0)));
    CHECK_FALSE(read_to_end(Blob().fill(1024, 0).u8(1)));
    CHECK_FALSE(read_to_end(Blob().fill(4, 0).u8(1).fill(100, 0)));
}

TEST_CASE("a log without a Spec ID header is refused", "[event_log]") {
    Blob log = header_event();
    SECTION("another type") {
        log.patch(4, 4, 4);
        require_refused(LogReader::open(log.view()), Fault::log_header, 4, 3, 4);
    }
    SECTION("another signature") {
        log.patch(32 + 13, 2, 0x3230);
        require_refused(LogReader::open(log.view()), Fault::log_header, 32, 0, 0);
    }
}

TEST_CASE("a header cut short is refused", "[event_log]") {
    const Blob log = header_event();
    require_refused(LogReader::open(log.view().first(31)), Fault::truncated, 0, 32, 31);
    require_refused(LogReader::open(log.view().first(76)), Fault::truncated, 32, 45, 44);
    Blob vendor = header_event();
    vendor.patch(32 + 32, 1, 13);
    require_refused(LogReader::open(vendor.view()), Fault::truncated, 33, 13, 12);
}

TEST_CASE("a log of another digest than SHA-384 is refused", "[event_log]") {
    Blob log = header_event();
    SECTION("SHA-256") {
        log.patch(32 + 28, 2, 0x0B);
        require_refused(LogReader::open(log.view()), Fault::log_digest_algorithm, 32, 0x0C, 0x0B);
    }
    SECTION("two algorithms") {
        log.patch(32 + 24, 4, 2);
        require_refused(LogReader::open(log.view()), Fault::log_digest_algorithm, 32, 1, 2);
    }
    SECTION("a wrong digest size") {
        log.patch(32 + 30, 2, 32);
        require_refused(LogReader::open(log.view()), Fault::log_digest_algorithm, 32, 48, 32);
    }
}

TEST_CASE("a broken event is refused at its offset", "[event_log]") {
    Blob log = log_of(event_bytes(1, 4, 0, Blob().u32(0)));
    SECTION("digest count") {
        log.patch(header_size + 8, 4, 2);
        LogReader reader = open_log(log);
        require_refused(reader.next(), Fault::log_digest_algorithm, header_size, 1, 2);
    }
    SECTION("digest algorithm") {
        log.patch(header_size + 12, 2, 0x0B);
        LogReader reader = open_log(log);
        require_refused(reader.next(), Fault::log_digest_algorithm, header_size, 0x0C, 0x0B);
    }
    SECTION("register") {
        log.patch(header_size, 4, 5);
        LogReader reader = open_log(log);
        require_refused(reader.next(), Fault::log_register, header_size, 4, 5);
    }
    SECTION("data longer than the log") {
        log.patch(header_size + 62, 4, 0xFFFFFFFF);
        LogReader reader = open_log(log);
        require_refused(reader.next(), Fault::truncated, header_size + 66, 0xFFFFFFFF, 4);
    }
    SECTION("three bytes after the last event") {
        log.fill(3, 0);
        LogReader reader = open_log(log);
        REQUIRE(reader.next().has_value());
        require_refused(reader.next(), Fault::truncated, header_size + 70, 4, 3);
    }
    SECTION("half an event header") {
        log.fill(30, 1);
        LogReader reader = open_log(log);
        REQUIRE(reader.next().has_value());
        require_refused(reader.next(), Fault::truncated, header_size + 70, 66, 30);
    }
}

TEST_CASE("events are described by the form of their type", "[event_log]") {
    const Blob blob_data = Blob().u8(11).text("td_payload").u8(0).u64(0x1000000).u64(0x2345);
    const Blob blob_log = log_of(event_bytes(2, 0x8000000A, 0, blob_data));
    const auto blob = describe(first_event(blob_log));
    REQUIRE(blob.has_value());
    CHECK(blob->name == "td_payload");
    REQUIRE(blob->range.has_value());
    CHECK(blob->range->start().value == 0x1000000);
    CHECK(blob->range->size() == 0x2345);

    const Blob config_data = Blob().text("secure_policy_db").u32(2).text("ab");
    const Blob config_log = log_of(event_bytes(1, 0xA, 0, config_data));
    const auto config = describe(first_event(config_log));
    REQUIRE(config.has_value());
    CHECK(config->name == "secure_policy_db");
    CHECK_FALSE(config->range.has_value());
    CHECK(copy_of(config->info) == Blob().text("ab").vector());

    const Blob separator_log = log_of(event_bytes(1, 4, 0, Blob().u32(0)));
    CHECK_FALSE(describe(first_event(separator_log)).has_value());
}

TEST_CASE("an event whose data lacks the form of its type has no description", "[event_log]") {
    const auto described = [](std::uint32_t type, const Blob& data) {
        const Blob log = log_of(event_bytes(1, type, 0, data));
        return describe(first_event(log)).has_value();
    };
    CHECK_FALSE(described(0x8000000A, Blob()));
    CHECK_FALSE(described(0x8000000A, Blob().u8(200).text("short")));
    CHECK_FALSE(described(0x8000000A, Blob().u8(1).text("x").u64(0)));
    CHECK_FALSE(described(0x8000000A, Blob().u8(1).text("x").u64(~0ULL).u64(2)));
    CHECK_FALSE(described(0xA, Blob().text("td_hob").fill(10, 0).u32(1)));
    CHECK_FALSE(described(0x5, Blob().text("anything")));
}

}} // namespace tdshim::event_log
