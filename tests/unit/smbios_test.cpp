// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/smbios: structures one behind the other, each whole, and the entry point.

#include <catch2/catch_test_macros.hpp>

#include <numeric>

#include "shim/formats/smbios/tables.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::smbios { namespace {

using namespace tdshim::test;

Blob end_of_table() {
    return Blob().dump("7F 04 FF FE 00 00");
}

TEST_CASE("a table has its structures, with strings and without, and an end", "[smbios]") {
    Blob tables = Blob().dump("01 06 00 01 01 02").text(std::string_view("QEMU\0PC\0\0", 9));
    tables.dump("20 05 00 20 00 00 00").dump("7F 04 FF FE 00 00");
    CHECK(check_tables(tables.view()) == 3);
    CHECK(check_tables(end_of_table().view()) == 1);
}

TEST_CASE("a structure that is not whole is refused", "[smbios]") {
    require_refused(check_tables(Blob().dump("01 03 00 01 00 00").view()), Fault::smbios_length, 0,
                    6, 3);
    require_refused(check_tables(Blob().dump("01 07 00 01 00 00").view()), Fault::smbios_length, 0,
                    6, 7);
    CHECK(check_tables(Blob().dump("01 04 00").view()).error().fault == Fault::truncated);
    CHECK(check_tables(Blob().dump("01 04 00 01 00").view()).error().fault ==
          Fault::smbios_strings);
    CHECK(check_tables(Blob().dump("7F 04 00 01").view()).error().fault == Fault::smbios_strings);
    CHECK(check_tables(Blob().dump("01 04 00 01 41 00 42").view()).error().fault ==
          Fault::smbios_strings);
}

TEST_CASE("the structure of type 127 is the last one and there", "[smbios]") {
    CHECK(check_tables({}).error().fault == Fault::smbios_end);
    CHECK(check_tables(Blob().dump("01 04 00 01 00 00").view()).error().fault == Fault::smbios_end);
    Blob behind = end_of_table();
    behind.dump("00");
    const auto refused = check_tables(behind.view());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().fault == Fault::smbios_end);
    CHECK(refused.error().at == 6);
}

TEST_CASE("the entry point leads to the tables, and its bytes add up to 0", "[smbios]") {
    const EntryPoint entry = entry_point({0x1234567890}, 0x321);
    const Bytes bytes = bytes_of(entry);
    CHECK(std::ranges::equal(bytes.first(5), bytes_of(std::string_view("_SM3_"))));
    CHECK(entry.length == 24);
    CHECK(entry.tables_size == 0x321);
    CHECK(entry.tables == 0x1234567890);
    CHECK(std::accumulate(bytes.begin(), bytes.end(), 0, [](int sum, std::byte byte) {
              return (sum + std::to_integer<int>(byte)) & 0xFF;
          }) == 0);
}

}} // namespace tdshim::smbios
