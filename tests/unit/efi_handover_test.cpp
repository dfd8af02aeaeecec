// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/efi/handover.hpp, runtime.hpp: the tables at their places, byte for byte where Linux
// reads them.

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/efi/handover.hpp"
#include "shim/formats/efi/wire.hpp"
#include "shim/formats/smbios/tables.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::efi { namespace {

using namespace tdshim::test;

constexpr Gpa place{0x120000};

struct Written {
    std::vector<GpaRange> unaccepted;
    e820::Table memory;
    std::vector<std::byte> area;
    Result<Handover> handover = Handover{};

    explicit Written(std::vector<GpaRange> ranges, std::optional<GpaRange> smbios = {})
        : unaccepted(std::move(ranges)) {
        REQUIRE(memory.push({GpaRange::between({0}, {MiB}), e820::Type::memory}));
        REQUIRE(memory.push({GpaRange::between({MiB}, {2 * MiB}), e820::Type::acpi}));
        REQUIRE(memory.push({GpaRange::between({2 * MiB}, {3 * MiB}), e820::Type::nvs}));
        REQUIRE(memory.push({GpaRange::between({3 * MiB}, {4 * MiB}), e820::Type::reserved}));
        area.resize(handover_size(unaccepted));
        handover = write_handover(area, place,
                                  {.memory = memory, .unaccepted = unaccepted, .smbios = smbios});
    }

    template <Wire T>
    T at(std::uint64_t address) {
        const auto value = read_at<T>(area, address - place.value);
        REQUIRE(value.has_value());
        return *value;
    }
    SystemTable system_table() { return at<SystemTable>(handover->system_table.value); }
    std::optional<ConfigurationTable> find(const Guid& guid) {
        const SystemTable system = system_table();
        for (std::uint64_t i = 0; i < system.table_count; ++i)
            if (const auto entry = at<ConfigurationTable>(system.configuration_table +
                                                          i * sizeof(ConfigurationTable));
                entry.guid == guid)
                return entry;
        return std::nullopt;
    }
    ConfigurationTable configuration(const Guid& guid) {
        const auto found = find(guid);
        REQUIRE(found.has_value());
        return *found;
    }
    UnacceptedMemory table() {
        return at<UnacceptedMemory>(configuration(unaccepted_memory_guid).table);
    }
    MemoryDescriptor descriptor(std::uint64_t index) {
        return at<MemoryDescriptor>(handover->memory_map.value + index * memory_descriptor_size);
    }
};

TEST_CASE("the system table has four configuration tables and no boot services", "[efi]") {
    Written written({GpaRange::between({4 * MiB}, {8 * MiB})});
    REQUIRE(written.handover.has_value());
    // Mapped at run time, like what it leads to.
    CHECK(align_down(written.handover->system_table.value, page_size) == place.value + page_size);
    const SystemTable system = written.system_table();
    CHECK(system.signature == 0x5453595320494249);
    CHECK(system.boot_services == 0);
    CHECK(system.table_count == 4);
    CHECK(written.at<le16>(system.firmware_vendor) == 't');
    CHECK(written.at<le16>(system.firmware_vendor + 12) == 0);
    const Blob guid = Blob().dump("3C DE D1 D5 5C 10 F9 44 9E A9 BC EF 98 12 00 31");
    CHECK(
        std::ranges::equal(written.configuration(unaccepted_memory_guid).guid.bytes, guid.view()));
}

TEST_CASE("of the runtime services one succeeds, and the others are unsupported", "[efi]") {
    Written written({GpaRange::between({4 * MiB}, {8 * MiB})});
    const auto services = written.at<RuntimeServices>(written.system_table().runtime_services);
    CHECK(services.signature == 0x56524553544E5552);
    CHECK(services.header_size == 136);
    const auto code_of = [&](std::uint64_t address, std::size_t size) {
        return Bytes(written.area).subspan(address - place.value, size);
    };
    for (std::size_t i = 0; i < services.functions.size(); ++i) {
        const Blob code = i == 4 ? Blob().dump("F3 0F 1E FA 31 C0 C3")
                                 : Blob().dump("F3 0F 1E FA 48 B8 03 00 00 00 00 00 00 80 C3");
        INFO("function " << i);
        CHECK(std::ranges::equal(code_of(services.functions[i], code.view().size()), code.view()));
    }
    const auto properties =
        written.at<RuntimeProperties>(written.configuration(runtime_properties_guid).table);
    CHECK(properties.version == 1);
    CHECK(properties.length == 8);
    CHECK(properties.supported == 0);
}

TEST_CASE("of the memory for run time a page is code, and another one data", "[efi]") {
    Written written({GpaRange::between({4 * MiB}, {8 * MiB})});
    const std::uint64_t table = written.configuration(memory_attributes_guid).table;
    const auto attributes = written.at<MemoryAttributes>(table);
    REQUIRE(attributes.count == 2);
    REQUIRE(attributes.descriptor_size == sizeof(MemoryDescriptor));
    for (std::uint64_t i = 0; i < 2; ++i) {
        const auto protection = written.at<MemoryDescriptor>(table + sizeof(MemoryAttributes) +
                                                             i * sizeof(MemoryDescriptor));
        CHECK(protection.type == (i == 0 ? 5 : 6));
        CHECK(protection.start == place.value + i * page_size);
        CHECK(protection.pages == 1);
        CHECK(protection.attributes == (1ULL << 63 | (i == 0 ? 0x20000 : 0x4000)));
        const MemoryDescriptor mapped = written.descriptor(i);
        CHECK(mapped.type == protection.type);
        CHECK(mapped.start == protection.start);
        CHECK(mapped.pages == 1);
        CHECK(mapped.attributes == (1ULL << 63 | 8));
    }
}

TEST_CASE("a bit stands for each large page that is unaccepted", "[efi]") {
    Written written({GpaRange::between({4 * MiB}, {8 * MiB}),
                     GpaRange::between({4 * MiB + 20 * MiB}, {4 * MiB + 22 * MiB})});
    const UnacceptedMemory table = written.table();
    CHECK(table.version == 1);
    CHECK(table.unit_size == 2 * MiB);
    CHECK(table.start == 4 * MiB);
    CHECK(table.bitmap_size == 8);
    CHECK(written.at<le64>(written.configuration(unaccepted_memory_guid).table + 24) == 0x403);
}

TEST_CASE("the bitmap covers from the first to the last range", "[efi]") {
    Written written(
        {GpaRange::between({2 * GiB}, {3 * GiB}), GpaRange::between({4 * GiB}, {68 * GiB})});
    CHECK(written.table().bitmap_size == 66 * 512 / 8);
    const std::uint64_t bitmap = written.configuration(unaccepted_memory_guid).table + 24;
    CHECK(written.at<std::uint8_t>(bitmap + 63) == 0xFF);
    CHECK(written.at<std::uint8_t>(bitmap + 64) == 0);
    CHECK(written.at<std::uint8_t>(bitmap + 127) == 0);
    CHECK(written.at<std::uint8_t>(bitmap + 128) == 0xFF);
    CHECK(written.at<std::uint8_t>(bitmap + 66 * 64 - 1) == 0xFF);
}

TEST_CASE("behind the memory for run time the memory map has every entry by EFI's types", "[efi]") {
    Written written({GpaRange::between({4 * MiB}, {8 * MiB})});
    REQUIRE(written.handover.has_value());
    CHECK(written.handover->memory_map_size == 7 * memory_descriptor_size);
    std::string types;
    for (std::uint64_t i = 2; i < 7; ++i) {
        const MemoryDescriptor entry = written.descriptor(i);
        CHECK(entry.attributes == 8);
        types += std::to_string(entry.type) + ":" + std::to_string(entry.pages) + " ";
    }
    CHECK(types == "7:256 9:256 10:256 0:256 15:1024 ");
}

TEST_CASE("SMBIOS has its table where there is any, also without memory to accept", "[efi]") {
    const auto tables = GpaRange::between({0x200000}, {0x200123});
    Written written({}, tables);
    REQUIRE(written.handover.has_value());
    CHECK(written.system_table().table_count == 4);
    CHECK_FALSE(written.find(unaccepted_memory_guid).has_value());
    CHECK(written.handover->memory_map_size == 6 * memory_descriptor_size);
    const auto entry = written.at<smbios::EntryPoint>(written.configuration(smbios3_guid).table);
    CHECK(entry.tables == tables.start().value);
    CHECK(entry.tables_size == tables.size());
    Written without({GpaRange::between({4 * MiB}, {8 * MiB})});
    CHECK_FALSE(without.find(smbios3_guid).has_value());
}

TEST_CASE("the console's text stands where Linux looks for a firmware's log", "[efi]") {
    Written written({GpaRange::between({4 * MiB}, {8 * MiB})});
    const std::uint64_t at = written.configuration(debug_log_guid).table;
    REQUIRE(written.handover->debug_log.start().value == at);
    REQUIRE(written.handover->debug_log.size() == sizeof(DebugLog) + debug_log_room);
    CHECK(written.at<DebugLog>(at).end == 0);
    const MutableBytes area = MutableBytes(written.area).subspan(at - place.value);
    write_debug_log(area, "tdshim 1", "one\ntwo\n", 5);
    const auto log = written.at<DebugLog>(at);
    CHECK(
        std::ranges::equal(Bytes(area).first(16), bytes_of(std::string_view("ovmfmdg1ovmfmdg2"))));
    CHECK(log.header_size == 192);
    CHECK(log.room == debug_log_room);
    CHECK(log.begin == 0);
    CHECK(log.end == 8);
    CHECK(log.lost == 5);
    CHECK(std::string_view(log.version.data()) == "tdshim 1");
    CHECK(
        std::ranges::equal(Bytes(area).subspan(192, 8), bytes_of(std::string_view("one\ntwo\n"))));
    // The tables behind it stay as they are.
    const auto unaccepted = written.table().start;
    write_debug_log(area, std::string(200, 'v'), std::string(debug_log_room + 3, 'x'), 0);
    CHECK(written.at<DebugLog>(at).end == debug_log_room);
    CHECK(written.at<DebugLog>(at).lost == 3);
    CHECK(written.at<DebugLog>(at).version.back() == 0);
    CHECK(written.table().start == unaccepted);
    CHECK(written.table().version == 1);
}

TEST_CASE("more ranges than the memory map holds are refused", "[efi]") {
    std::vector<GpaRange> many;
    for (std::uint64_t i = 1; i <= 256; ++i)
        many.push_back(GpaRange::between({i * 8 * MiB}, {i * 8 * MiB + 2 * MiB}));
    const Written written(many);
    require_refused(written.handover, Fault::too_many_entries, 0, 256, 262);
}

}} // namespace tdshim::efi
