// SPDX-License-Identifier: Apache-2.0
//
// payload/runtime/acpi: processors and their mailbox, the port that switches off, configuration
// space.

#include "payload/runtime/acpi.hpp"

#include "tests/unit/support.hpp"

namespace tdshim::runtime { namespace {

using namespace tdshim::test;

constexpr std::size_t madt_header_size = 44;

Blob madt(const Blob& structures) {
    return Blob()
        .text("APIC")
        .u32(madt_header_size + structures.size())
        .fill(36, 0)
        .bytes(structures.view());
}
Blob local_apic(std::uint64_t id, std::uint64_t flags) {
    return Blob().u8(0).u8(8).u8(id).u8(id).u32(flags);
}
Blob wakeup(std::uint64_t mailbox) {
    return Blob().u8(0x10).u8(16).u16(0).u32(0).u64(mailbox);
}

TEST_CASE("enabled processors and the mailbox are found", "[payload]") {
    const Blob structures = Blob()
                                .bytes(local_apic(0, 1).view())
                                .bytes(local_apic(1, 0).view())
                                .bytes(Blob().u8(1).u8(12).fill(10, 0).view())
                                .bytes(Blob().u8(9).u8(16).u16(0).u32(300).u32(1).u32(4).view())
                                .bytes(wakeup(0xB30000).view());
    const auto found = read_madt(madt(structures).view());
    REQUIRE(found.has_value());
    REQUIRE(found->apic_ids.size() == 2);
    CHECK(found->apic_ids[0] == 0);
    CHECK(found->apic_ids[1] == 300);
    CHECK(found->mailbox == Gpa{0xB30000});
    CHECK_FALSE(read_madt(madt(local_apic(0, 1)).view())->mailbox.has_value());
}

TEST_CASE("a MADT whose structures do not fit is refused", "[payload]") {
    require_refused(read_madt(madt(Blob().u8(0).u8(1)).view()), Fault::acpi_length,
                    madt_header_size, 2, 1);
    require_refused(read_madt(madt(Blob().u8(0).u8(8).u8(0)).view()), Fault::truncated,
                    madt_header_size + 2, 6, 1);
    require_refused(read_madt(madt(Blob().u8(0).u8(4).u16(0)).view()), Fault::truncated, 0, 8, 4);
    require_refused(read_madt(Blob().fill(20, 0).view()), Fault::truncated, 0, madt_header_size,
                    20);
    Blob many;
    for (std::size_t i = 0; i <= max_processors; ++i)
        many.bytes(local_apic(i % 255, 1).view());
    require_refused(read_madt(madt(many).view()), Fault::too_many_entries,
                    madt_header_size + 8 * max_processors, max_processors, max_processors + 1);
}

Blob fadt(std::uint64_t pm1a_control) {
    return Blob().text("FACP").fill(240, 0).patch(64, 4, pm1a_control);
}
Blob dsdt(std::string_view package) {
    return Blob().fill(50, 0x5F).text("_S5_").dump(package).fill(2, 0);
}

TEST_CASE("the port that switches off is the FADT's, the value the DSDT's", "[payload]") {
    const auto port = fadt(0x604);
    CHECK(find_soft_off(port.view(), dsdt("12 06 04 00 00 00 00 ").view()) ==
          SoftOff{0x604, 0x2000});
    CHECK(find_soft_off(port.view(), dsdt("12 0A 04 0A 05 0A 05 ").view()) ==
          SoftOff{0x604, 0x3400});
    CHECK(find_soft_off(port.view(), dsdt("12 46 00 04 01 00 ").view()) == SoftOff{0x604, 0x2400});
}

TEST_CASE("no way to switch off is found where there is none", "[payload]") {
    const auto none = [](const Blob& fixed, const Blob& code) {
        return !find_soft_off(fixed.view(), code.view()).has_value();
    };
    const Blob good = dsdt("12 06 04 00 00 00 00 ");
    CHECK(none(fadt(0), good));
    CHECK(none(fadt(0x10000), good));
    CHECK(none(Blob().text("FACP").fill(100, 0), good));
    CHECK(none(fadt(0x604), Blob().fill(50, 0)));
    CHECK(none(fadt(0x604), Blob().text("_S5_")));
    CHECK(none(fadt(0x604), Blob().text("_S5_").dump("12 C6 ")));
    CHECK(none(fadt(0x604), dsdt("14 06 04 00 ")));
    CHECK(none(fadt(0x604), dsdt("12 06 00 00 ")));
    CHECK(none(fadt(0x604), dsdt("12 06 04 0B 00 00 ")));
    CHECK(none(fadt(0x604), dsdt("12 06 04 0A 08 ")));
}

TEST_CASE("configuration space is where the MCFG says", "[payload]") {
    const Blob mcfg = Blob().text("MCFG").u32(60).fill(36, 0).u64(0xB000'0000).fill(8, 0);
    CHECK(read_mcfg(mcfg.view()) == Gpa{0xB000'0000});
    require_refused(read_mcfg(mcfg.view().first(44)), Fault::truncated, 0, 60, 44);
}

}} // namespace tdshim::runtime
