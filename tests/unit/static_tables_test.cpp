// SPDX-License-Identifier: Apache-2.0
//
// The shim's own ACPI tables: lengths, checksums and links as the specification has them.
#include "shim/formats/acpi/static_tables.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "tests/unit/support.hpp"

namespace tdshim::acpi { namespace {

using test::require_refused;

constexpr Gpa place{0x100000};

struct Written {
    explicit Written(std::uint32_t processors)
        : area(static_tables_size(processors), std::byte{0xEE}) {
        const auto written = write_static_tables(area, place, processors);
        REQUIRE(written);
        tables = *written;
    }

    Bytes from(std::uint64_t address) {
        REQUIRE(address >= place.value);
        REQUIRE(address < place.value + area.size());
        return Bytes(area).subspan(address - place.value);
    }
    /// A whole table with this signature and a good checksum.
    Bytes table(std::uint64_t address, std::string_view signature) {
        const auto header = read_at<TableHeader>(from(address), 0);
        REQUIRE(header);
        CHECK(std::string_view(header->signature.data(), 4) == signature);
        const Bytes bytes = from(address).first(header->length);
        unsigned sum = 0;
        for (const std::byte byte : bytes)
            sum += std::to_integer<unsigned>(byte);
        CHECK(sum % 256 == 0);
        return bytes;
    }

    std::vector<std::byte> area;
    StaticTables tables;
};

/// Number of MADT structures of each type.
std::array<unsigned, 16> structures_of(Bytes madt) {
    std::array<unsigned, 16> counts{};
    std::size_t at = sizeof(MadtHeader);
    while (at < madt.size()) {
        const auto structure = read_at<MadtStructure>(madt, at);
        REQUIRE(structure);
        REQUIRE(structure->length >= sizeof(MadtStructure));
        ++counts.at(structure->type);
        at += structure->length;
    }
    CHECK(at == madt.size());
    return counts;
}

TEST_CASE("FADT leads to FACS and DSDT, and MCFG to the configuration space", "[static_tables]") {
    Written written(4);
    REQUIRE(written.tables.listed.size() == 2);
    const auto fadt = read_at<Fadt>(written.table(written.tables.listed[0].value, "FACP"), 0);
    REQUIRE(fadt);
    CHECK(fadt->pm1a_control == 0x604);
    CHECK(fadt->pm_timer == 0x608);
    CHECK(fadt->reset.address == 0xCF9);
    CHECK(fadt->facs % 64 == 0);
    const auto facs = read_at<Facs>(written.from(fadt->facs), 0);
    REQUIRE(facs);
    CHECK(std::string_view(facs->signature.data(), 4) == "FACS");
    const Bytes dsdt = written.table(fadt->dsdt, "DSDT");
    const std::string aml(reinterpret_cast<const char*>(dsdt.data()), dsdt.size());
    for (const char* const name : {"_S5_", "\\_SB_", "PCI0", "_CRS", "ECAM"})
        CHECK(aml.find(name) != std::string::npos);
    const auto mcfg = read_at<Mcfg>(written.table(written.tables.listed[1].value, "MCFG"), 0);
    REQUIRE(mcfg);
    CHECK(mcfg->base == 0xB000'0000);
    CHECK(mcfg->last_bus == 255);
}

TEST_CASE("the DSDT alone is that of the other tables", "[static_tables]") {
    Written written(1);
    const Bytes together = written.table(written.tables.dsdt.value, "DSDT");
    std::vector<std::byte> alone(own_dsdt_size(), std::byte{0xEE});
    write_dsdt(alone);
    CHECK(std::ranges::equal(alone, together));
}

TEST_CASE("the scope of AML ends where the table does", "[static_tables]") {
    Written written(1);
    const auto fadt = read_at<Fadt>(written.table(written.tables.listed[0].value, "FACP"), 0);
    const Bytes aml = written.table(fadt->dsdt, "DSDT").subspan(sizeof(TableHeader));
    const auto number = [&](std::size_t at) { return std::to_integer<std::size_t>(aml[at]); };
    // Name (_S5_, Package): 08, four letters, 12, length; then Scope: 10, length.
    const std::size_t package = 6;
    const std::size_t scope = package + (number(package) & 0xF) + (number(package + 1) << 4);
    REQUIRE(number(scope) == 0x10);
    CHECK(scope + 1 + (number(scope + 1) & 0xF) + (number(scope + 2) << 4) == aml.size());
}

TEST_CASE("each processor is in the MADT once, with its number as APIC ID", "[static_tables]") {
    for (const std::uint32_t processors : {1U, 2U, 255U, 256U, 4096U}) {
        Written written(processors);
        const auto at =
            static_cast<std::uint64_t>(written.tables.madt.data() - written.area.data());
        const Bytes madt = written.table(place.value + at, "APIC");
        CHECK(madt.size() == written.tables.madt.size());
        const auto counts = structures_of(madt);
        const std::uint32_t small = std::min(processors, 255U);
        CHECK(counts[madt_local_apic_type] == small);
        CHECK(counts[madt_local_x2apic_type] == processors - small);
        CHECK(counts[madt_io_apic_type] == 1);
        CHECK(counts[madt_override_type] == 2);
    }
}

TEST_CASE("absurd numbers of processors and too small an area are refused", "[static_tables]") {
    std::vector<std::byte> area(static_tables_size(2));
    for (const std::uint32_t processors : {0U, 4097U, 0xFFFF'FFFFU})
        require_refused(write_static_tables(area, place, processors), Fault::too_many_entries, 0,
                        4096, processors);
    require_refused(write_static_tables(MutableBytes(area).first(area.size() - 1), place, 2),
                    Fault::acpi_length, place.value, area.size(), area.size() - 1);
}

}} // namespace tdshim::acpi
