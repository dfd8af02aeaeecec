// SPDX-License-Identifier: Apache-2.0
//
// payload/runtime/hob_list: what a payload reads out of the list that the shim gives it.

#include "payload/runtime/hob_list.hpp"

#include "tests/unit/hob_blob.hpp"

namespace tdshim::runtime { namespace {

using namespace tdshim::test;

Blob e820_guid() {
    return Blob().dump("EA 72 80 8F 86 34 47 4B 86 A7 23 53 B8 8A 87 73 ");
}
Blob acpi_guid() {
    return Blob().dump("70 58 0C 6A ED D4 F4 44 A1 35 DD 23 8B 6F 0C 8D ");
}

/// Data is padded inside the HOB, as the shim does it.
Blob guid_hob(const Blob& guid, Blob data) {
    data.resize((data.size() + 7) / 8 * 8);
    return Blob().u16(4).u16(24 + data.size()).u32(0).bytes(guid.view()).bytes(data.view());
}
Blob map_hob() {
    return guid_hob(
        e820_guid(),
        Blob().u64(MiB).u64(7 * MiB).u32(1).u64(8 * MiB).u64(MiB).u32(2).u64(0).u64(4096).u32(8));
}
Blob table_hob(std::string_view signature, std::size_t size, std::size_t length) {
    return guid_hob(acpi_guid(), Blob().text(signature).u32(length).fill(size - 8, 0x41));
}
Blob list_of(const Blob& hobs) {
    return hob_list({}, hobs);
}

constexpr std::size_t first_hob = hob_phit_size;

TEST_CASE("a payload's list gives the memory map and each ACPI table", "[payload]") {
    const Blob hobs = Blob()
                          .bytes(map_hob().view())
                          .bytes(table_hob("APIC", 45, 45).view())
                          .bytes(guid_hob(Blob().fill(16, 7), Blob().fill(9, 1)).view())
                          .bytes(table_hob("CCEL", 56, 56).view());
    const Blob list = list_of(hobs);
    const auto found = parse_hob_list(list.view());
    REQUIRE(found.has_value());
    CHECK(found->size == list.size());
    CHECK(found->hobs == 6);
    REQUIRE(found->memory.size() == 3);
    CHECK(found->memory[0].type == e820::Type::unaccepted);
    CHECK(found->memory[2].range.end() == Gpa{9 * MiB});
    REQUIRE(found->acpi_tables.size() == 2);
    CHECK(found->find_table("APIC")->size() == 45);
    CHECK(found->find_table("CCEL")->size() == 56);
    CHECK_FALSE(found->find_table("FACP").has_value());
}

TEST_CASE("a payload's list may have other HOBs and a longer area", "[payload]") {
    const Blob list = hob_list({{0, MiB, MiB}}, map_hob());
    Blob area = list;
    area.fill(100, 0xFF);
    const auto found = parse_hob_list(area.view());
    REQUIRE(found.has_value());
    CHECK(found->size == list.size());
    CHECK(found->acpi_tables.empty());
}

TEST_CASE("a payload's list without its parts is refused", "[payload]") {
    require_refused(parse_hob_list(list_of({}).view()), Fault::e820_no_memory, 0, 0, 0);
    const Blob twice = Blob().bytes(map_hob().view()).bytes(map_hob().view());
    require_refused(parse_hob_list(list_of(twice).view()), Fault::hob_guid_twice,
                    first_hob + map_hob().size(), 0, 0);
    const Blob no_handoff = Blob().bytes(map_hob().view()).u16(0xFFFF).u16(8).u32(0);
    require_refused(parse_hob_list(no_handoff.view()), Fault::hob_no_handoff, 0, 0, 0);
    const Blob list = list_of(map_hob());
    require_refused(parse_hob_list(list.view().first(list.size() - 8)), Fault::truncated,
                    list.size() - 8, 8, 0);
}

TEST_CASE("an ACPI table in a payload's list has a header and its length", "[payload]") {
    require_refused(parse_hob_list(list_of(table_hob("APIC", 40, 41)).view()), Fault::acpi_length,
                    first_hob, 40, 41);
    require_refused(parse_hob_list(list_of(table_hob("APIC", 40, 35)).view()), Fault::acpi_length,
                    first_hob, 40, 35);
    require_refused(parse_hob_list(list_of(table_hob("APIC", 32, 32)).view()), Fault::truncated, 0,
                    36, 32);
    Blob many = map_hob();
    for (std::size_t i = 0; i <= max_acpi_tables; ++i)
        many.bytes(table_hob("SSDT", 40, 40).view());
    require_refused(parse_hob_list(list_of(many).view()), Fault::too_many_entries,
                    first_hob + map_hob().size() + max_acpi_tables * 64, max_acpi_tables,
                    max_acpi_tables + 1);
}

TEST_CASE("a GUID HOB in a payload's list has a GUID", "[payload]") {
    const Blob hob = Blob().u16(4).u16(16).u32(0).u64(0);
    require_refused(parse_hob_list(list_of(hob).view()), Fault::truncated, 0, 24, 16);
}

}} // namespace tdshim::runtime
