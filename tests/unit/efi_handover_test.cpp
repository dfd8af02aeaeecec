// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/efi/handover.hpp: the tables at their places, byte for byte where Linux reads them.

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/efi/handover.hpp"
#include "shim/formats/efi/wire.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::efi { namespace {

using namespace tdshim::test;

constexpr Gpa place{0x120000};

struct Written {
    std::vector<GpaRange> unaccepted;
    e820::Table memory;
    std::vector<std::byte> area;
    Result<Handover> handover = Handover{};

    explicit Written(std::vector<GpaRange> ranges) : unaccepted(std::move(ranges)) {
        REQUIRE(memory.push({GpaRange::between({0}, {MiB}), e820::Type::memory}));
        REQUIRE(memory.push({GpaRange::between({MiB}, {2 * MiB}), e820::Type::acpi}));
        REQUIRE(memory.push({GpaRange::between({2 * MiB}, {3 * MiB}), e820::Type::nvs}));
        REQUIRE(memory.push({GpaRange::between({3 * MiB}, {4 * MiB}), e820::Type::reserved}));
        area.resize(handover_size(unaccepted));
        handover = write_handover(area, place, memory, unaccepted);
    }

    template <Wire T>
    T at(std::uint64_t address) {
        const auto value = read_at<T>(area, address - place.value);
        REQUIRE(value.has_value());
        return *value;
    }
    UnacceptedMemory table() { return at<UnacceptedMemory>(configuration().table); }
    ConfigurationTable configuration() {
        return at<ConfigurationTable>(at<SystemTable>(place.value).configuration_table);
    }
};

TEST_CASE("the system table has one configuration table and no services", "[efi]") {
    Written written({GpaRange::between({4 * MiB}, {8 * MiB})});
    REQUIRE(written.handover.has_value());
    CHECK(written.handover->system_table == place);
    const auto system = written.at<SystemTable>(place.value);
    CHECK(system.signature == 0x5453595320494249);
    CHECK(system.runtime_services == 0);
    CHECK(system.boot_services == 0);
    CHECK(system.table_count == 1);
    CHECK(written.at<le16>(system.firmware_vendor) == 't');
    CHECK(written.at<le16>(system.firmware_vendor + 12) == 0);
    const Blob guid = Blob().dump("3C DE D1 D5 5C 10 F9 44 9E A9 BC EF 98 12 00 31");
    CHECK(std::ranges::equal(written.configuration().guid.bytes, guid.view()));
}

TEST_CASE("a bit stands for each large page that is unaccepted", "[efi]") {
    Written written({GpaRange::between({4 * MiB}, {8 * MiB}),
                     GpaRange::between({4 * MiB + 20 * MiB}, {4 * MiB + 22 * MiB})});
    const UnacceptedMemory table = written.table();
    CHECK(table.version == 1);
    CHECK(table.unit_size == 2 * MiB);
    CHECK(table.start == 4 * MiB);
    CHECK(table.bitmap_size == 8);
    CHECK(written.at<le64>(written.configuration().table + 24) == 0x403);
}

TEST_CASE("the bitmap covers from the first to the last range", "[efi]") {
    Written written(
        {GpaRange::between({2 * GiB}, {3 * GiB}), GpaRange::between({4 * GiB}, {68 * GiB})});
    CHECK(written.table().bitmap_size == 66 * 512 / 8);
    const std::uint64_t bitmap = written.configuration().table + 24;
    CHECK(written.at<std::uint8_t>(bitmap + 63) == 0xFF);
    CHECK(written.at<std::uint8_t>(bitmap + 64) == 0);
    CHECK(written.at<std::uint8_t>(bitmap + 127) == 0);
    CHECK(written.at<std::uint8_t>(bitmap + 128) == 0xFF);
    CHECK(written.at<std::uint8_t>(bitmap + 66 * 64 - 1) == 0xFF);
}

TEST_CASE("the memory map has every entry by EFI's types, none of them at run time", "[efi]") {
    Written written({GpaRange::between({4 * MiB}, {8 * MiB})});
    REQUIRE(written.handover.has_value());
    CHECK(written.handover->memory_map_size == 5 * memory_descriptor_size);
    std::string types;
    for (std::uint64_t i = 0; i < 5; ++i) {
        const auto entry = written.at<MemoryDescriptor>(written.handover->memory_map.value +
                                                        i * memory_descriptor_size);
        CHECK(entry.attributes == 8);
        types += std::to_string(entry.type) + ":" + std::to_string(entry.pages) + " ";
    }
    CHECK(types == "7:256 9:256 10:256 0:256 15:1024 ");
}

TEST_CASE("more ranges than the memory map holds are refused", "[efi]") {
    std::vector<GpaRange> many;
    for (std::uint64_t i = 1; i <= 256; ++i)
        many.push_back(GpaRange::between({i * 8 * MiB}, {i * 8 * MiB + 2 * MiB}));
    const Written written(many);
    require_refused(written.handover, Fault::too_many_entries, 0, 256, 260);
}

}} // namespace tdshim::efi
