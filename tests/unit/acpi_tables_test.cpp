// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/acpi/tables: the VMM's RSDP of both revisions, with RSDT or XSDT behind it, every
// root that is not to be followed, and the shim's own root byte for byte [ACPI 6.5, 5.2.5
// to 5.2.8].

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <initializer_list>
#include <numeric>
#include <string_view>
#include <vector>

#include "shim/formats/acpi/tables.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::acpi { namespace {

using namespace tdshim::test;

constexpr std::uint64_t base = 0x7FF0'0000;
constexpr std::size_t header_size = 36;
constexpr std::size_t checksum_at = 9;

unsigned sum_of(Bytes bytes) {
    return std::accumulate(
               bytes.begin(), bytes.end(), 0U,
               [](unsigned sum, std::byte byte) { return sum + std::to_integer<unsigned>(byte); }) %
           256;
}

/// Makes the first `count` bytes of `blob` sum to zero by the byte at `at`.
Blob& summed(Blob& blob, std::size_t at, std::size_t count) {
    blob.patch(at, 1, 0);
    return blob.patch(at, 1, 256 - sum_of(blob.view().first(count)));
}

/// A table of `signature` with a good checksum, after "body".
Blob table(std::string_view signature, const Blob& body = {}) {
    Blob blob;
    blob.text(signature).u32(header_size + body.size()).u8(1).u8(0).text("OEMID ").text("OEMTABLE");
    blob.u32(2).text("CRTR").u32(3).bytes(body.view());
    return summed(blob, checksum_at, blob.size());
}

/// RSDP of ACPI 1.0.
Blob rsdp_1(std::uint32_t rsdt, unsigned revision = 0) {
    Blob blob;
    blob.text("RSD PTR ").u8(0).text("OEMID ").u8(revision).u32(rsdt);
    return summed(blob, 8, 20);
}

/// RSDP of ACPI 2.0 and later, of `length` bytes.
Blob rsdp_2(std::uint32_t rsdt, std::uint64_t xsdt, std::uint32_t length = 36) {
    Blob blob = rsdp_1(rsdt, 2);
    blob.u32(length).u64(xsdt).u8(0).fill(3, 0);
    blob.resize(std::max<std::size_t>(blob.size(), length));
    return summed(blob, 32, length);
}

/// The VMM's tables in one file at `base`.
class Machine {
  public:
    /// Appends a table; gives its address.
    std::uint64_t add(const Blob& one) {
        const std::uint64_t address = base + content_.size();
        content_.insert(content_.end(), one.view().begin(), one.view().end());
        return address;
    }
    /// Appends an RSDT that lists `addresses`.
    std::uint32_t add_rsdt(std::initializer_list<std::uint64_t> addresses,
                           std::string_view signature = "RSDT") {
        Blob body;
        for (const std::uint64_t address : addresses)
            body.u32(address);
        return static_cast<std::uint32_t>(add(table(signature, body)));
    }
    std::uint64_t add_xsdt(std::initializer_list<std::uint64_t> addresses,
                           std::string_view signature = "XSDT") {
        Blob body;
        for (const std::uint64_t address : addresses)
            body.u64(address);
        return add(table(signature, body));
    }
    void patch(std::uint64_t address, std::uint8_t value) {
        content_.at(address - base) = std::byte{value};
    }

    [[nodiscard]] Result<TableList> find(const Blob& rsdp) {
        LoadedFiles files;
        Command allocate;
        allocate.file = "tables";
        REQUIRE(files.add(allocate, {base}, content_).has_value());
        return find_tables(rsdp.view(), files);
    }

  private:
    std::vector<std::byte> content_;
};

void check_found(const Result<TableList>& found, std::initializer_list<std::uint64_t> expected) {
    REQUIRE(found.has_value());
    std::vector<std::uint64_t> addresses;
    for (const Gpa address : *found)
        addresses.push_back(address.value);
    CHECK(addresses == std::vector<std::uint64_t>(expected));
}

TEST_CASE("the tables of an RSDT are found from an RSDP of revision 0", "[acpi_tables]") {
    Machine machine;
    const std::uint64_t facp = machine.add(table("FACP", Blob().fill(240, 0x11)));
    const std::uint64_t apic = machine.add(table("APIC", Blob().fill(7, 0x22)));
    const std::uint32_t rsdt = machine.add_rsdt({facp, apic});
    check_found(machine.find(rsdp_1(rsdt)), {facp, apic});
}

TEST_CASE("the tables of an XSDT are found from an RSDP of revision 2", "[acpi_tables]") {
    Machine machine;
    const std::uint64_t facp = machine.add(table("FACP"));
    const std::uint64_t mcfg = machine.add(table("MCFG"));
    const std::uint32_t rsdt = machine.add_rsdt({facp});
    const std::uint64_t xsdt = machine.add_xsdt({mcfg, facp});
    check_found(machine.find(rsdp_2(rsdt, xsdt)), {mcfg, facp});
    check_found(machine.find(rsdp_2(0, xsdt)), {mcfg, facp});
}

TEST_CASE("an RSDP of revision 2 without an XSDT leads to the RSDT", "[acpi_tables]") {
    Machine machine;
    const std::uint64_t facp = machine.add(table("FACP"));
    const std::uint32_t rsdt = machine.add_rsdt({facp});
    check_found(machine.find(rsdp_2(rsdt, 0)), {facp});
}

TEST_CASE("a HOB has one table and less than its alignment behind it", "[acpi_tables]") {
    const Blob ssdt = table("SSDT", Blob().fill(100, 0x5A));
    for (const std::size_t behind : {0U, 1U, 7U}) {
        const Blob data = Blob(ssdt).fill(behind, 0xFF);
        const auto found = check_hob_table(data.view(), 3);
        REQUIRE(found.has_value());
        CHECK(found->size() == ssdt.size());
    }
    for (const std::size_t behind : {8U, 4096U})
        require_refused(check_hob_table(Blob(ssdt).fill(behind, 0).view(), 3), Fault::acpi_length,
                        3, ssdt.size() + behind, ssdt.size());
    require_refused(check_hob_table(ssdt.view().first(35), 3), Fault::acpi_address, 3, header_size,
                    35);
}

TEST_CASE("a root may list no table", "[acpi_tables]") {
    Machine machine;
    const std::uint32_t rsdt = machine.add_rsdt({});
    check_found(machine.find(rsdp_1(rsdt)), {});
    const std::uint64_t xsdt = machine.add_xsdt({});
    check_found(machine.find(rsdp_2(0, xsdt)), {});
}

TEST_CASE("what stands behind the RSDP in its file does not count", "[acpi_tables]") {
    Machine machine;
    const std::uint64_t facp = machine.add(table("FACP"));
    const std::uint32_t rsdt = machine.add_rsdt({facp});
    check_found(machine.find(rsdp_1(rsdt).fill(100, 0xEE)), {facp});
    check_found(machine.find(rsdp_2(rsdt, 0).fill(100, 0xEE)), {facp});
}

TEST_CASE("an RSDP may be longer than the fields that are known", "[acpi_tables]") {
    Machine machine;
    const std::uint64_t facp = machine.add(table("FACP"));
    const std::uint64_t xsdt = machine.add_xsdt({facp});
    check_found(machine.find(rsdp_2(0, xsdt, 40)), {facp});
    Blob rsdp = rsdp_2(0, xsdt, 40);
    rsdp.patch(39, 1, 1);
    require_refused(machine.find(rsdp), Fault::acpi_checksum, 8, 0, 0);
}

TEST_CASE("a file that is too short for an RSDP is refused", "[acpi_tables]") {
    Machine machine;
    const std::uint32_t rsdt = machine.add_rsdt({});
    Blob rsdp = rsdp_1(rsdt);
    rsdp.resize(19);
    require_refused(machine.find(rsdp), Fault::acpi_no_rsdp, 0, 20, 19);
    require_refused(machine.find(Blob()), Fault::acpi_no_rsdp, 0, 20, 0);
}

TEST_CASE("an RSDP with another signature is refused", "[acpi_tables]") {
    Machine machine;
    const std::uint32_t rsdt = machine.add_rsdt({});
    for (const std::size_t at : {0UZ, 3UZ, 7UZ}) {
        Blob rsdp = rsdp_1(rsdt);
        rsdp.patch(at, 1, 'x');
        require_refused(machine.find(summed(rsdp, 8, 20)), Fault::acpi_signature, 0, 0, 0);
    }
}

TEST_CASE("an RSDP of revision 2 with a wrong length is refused", "[acpi_tables]") {
    Machine machine;
    const std::uint64_t xsdt = machine.add_xsdt({});
    for (const std::uint32_t length : {0U, 20U, 35U, 37U, 0xFFFFFFFFU}) {
        Blob rsdp = rsdp_2(0, xsdt);
        rsdp.patch(20, 4, length);
        require_refused(machine.find(summed(rsdp, 32, 36)), Fault::acpi_length, 20, 36, length);
    }
    Blob cut = rsdp_2(0, xsdt);
    cut.resize(35);
    require_refused(machine.find(cut), Fault::acpi_length, 20, 35, 36);
    require_refused(machine.find(rsdp_1(0, 2)), Fault::acpi_length, 20, 20, 0);
}

TEST_CASE("an RSDP with a wrong checksum is refused", "[acpi_tables]") {
    Machine machine;
    const std::uint32_t rsdt = machine.add_rsdt({});
    Blob first = rsdp_1(rsdt);
    first.patch(10, 1, 0x55);
    require_refused(machine.find(first), Fault::acpi_checksum, 8, 0, 0);
    // Good over all 36 bytes but not over the first 20.
    Blob only_extended = rsdp_2(rsdt, 0);
    only_extended.patch(10, 1, 0x55);
    require_refused(machine.find(summed(only_extended, 32, 36)), Fault::acpi_checksum, 8, 0, 0);
    // Good over the first 20 but not over all.
    Blob only_first = rsdp_2(rsdt, 0);
    only_first.patch(33, 1, 1);
    require_refused(machine.find(only_first), Fault::acpi_checksum, 8, 0, 0);
}

TEST_CASE("a root table outside the loaded files is refused", "[acpi_tables]") {
    Machine machine;
    machine.add(table("FACP"));
    const std::uint64_t end = base + header_size;
    for (const std::uint64_t address : {std::uint64_t{1}, base - 1, end}) {
        require_refused(machine.find(rsdp_1(static_cast<std::uint32_t>(address))),
                        Fault::acpi_address, address, header_size, 0);
        require_refused(machine.find(rsdp_2(0, address)), Fault::acpi_address, address, header_size,
                        0);
    }
    require_refused(machine.find(rsdp_1(0)), Fault::acpi_address, 0, header_size, 0);
    require_refused(machine.find(rsdp_2(0, ~std::uint64_t{0})), Fault::acpi_address,
                    ~std::uint64_t{0}, header_size, 0);
    require_refused(machine.find(rsdp_1(base + 1)), Fault::acpi_address, base + 1, header_size, 35);
}

TEST_CASE("an RSDT where an XSDT should be is refused, and the reverse", "[acpi_tables]") {
    Machine machine;
    const std::uint32_t rsdt = machine.add_rsdt({});
    const std::uint64_t xsdt = machine.add_xsdt({});
    require_refused(machine.find(rsdp_2(0, rsdt)), Fault::acpi_signature, rsdt, 0, 0);
    require_refused(machine.find(rsdp_1(static_cast<std::uint32_t>(xsdt))), Fault::acpi_signature,
                    xsdt, 0, 0);
}

TEST_CASE("a root table with a wrong length is refused", "[acpi_tables]") {
    for (const unsigned length : {0U, 35U, 37U, 255U}) {
        Machine machine;
        const std::uint32_t rsdt = machine.add_rsdt({});
        machine.patch(rsdt + 4, static_cast<std::uint8_t>(length));
        require_refused(machine.find(rsdp_1(rsdt)), Fault::acpi_length, rsdt, 36, length);
    }
}

TEST_CASE("a root table with a wrong checksum is refused", "[acpi_tables]") {
    Machine machine;
    const std::uint32_t rsdt = machine.add_rsdt({});
    machine.patch(rsdt + 28, 'c' + 3); // was 'C'
    require_refused(machine.find(rsdp_1(rsdt)), Fault::acpi_checksum, rsdt, 0, 'c' + 3 - 'C');
}

TEST_CASE("a listed table outside the loaded files is refused", "[acpi_tables]") {
    Machine machine;
    const std::uint64_t facp = machine.add(table("FACP"));
    const std::uint32_t rsdt = machine.add_rsdt({facp, 0x1000});
    require_refused(machine.find(rsdp_1(rsdt)), Fault::acpi_address, 0x1000, header_size, 0);
    const std::uint64_t above = 0x1'0000'0000 + facp;
    const std::uint64_t xsdt = machine.add_xsdt({facp, above});
    require_refused(machine.find(rsdp_2(0, xsdt)), Fault::acpi_address, above, header_size, 0);
}

TEST_CASE("a listed table that does not fit its file is refused", "[acpi_tables]") {
    Machine machine;
    const std::uint32_t rsdt = machine.add_rsdt({base + 40});
    const std::uint64_t last = machine.add(table("LAST", Blob().fill(10, 0)));
    REQUIRE(last == base + 40);
    check_found(machine.find(rsdp_1(rsdt)), {last});
    machine.patch(last + 4, 47);
    require_refused(machine.find(rsdp_1(rsdt)), Fault::acpi_length, last, 46, 47);
    machine.patch(last + 7, 0xFF);
    require_refused(machine.find(rsdp_1(rsdt)), Fault::acpi_length, last, 46, 0xFF00002F);
    machine.patch(last + 7, 0);
    machine.patch(last + 4, 35);
    require_refused(machine.find(rsdp_1(rsdt)), Fault::acpi_length, last, 46, 35);
}

TEST_CASE("a listed table with a wrong checksum is refused", "[acpi_tables]") {
    Machine machine;
    const std::uint64_t facp = machine.add(table("FACP", Blob().fill(10, 0)));
    const std::uint32_t rsdt = machine.add_rsdt({facp});
    machine.patch(facp + 45, 0x7B);
    require_refused(machine.find(rsdp_1(rsdt)), Fault::acpi_checksum, facp, 0, 0x7B);
}

TEST_CASE("an event log table of the VMM's is refused", "[acpi_tables]") {
    Machine machine;
    const std::uint64_t facp = machine.add(table("FACP"));
    const std::uint64_t ccel = machine.add(table("CCEL", Blob().fill(20, 0)));
    const std::uint32_t rsdt = machine.add_rsdt({facp, ccel});
    const std::uint64_t xsdt = machine.add_xsdt({ccel, facp});
    require_refused(machine.find(rsdp_1(rsdt)), Fault::acpi_event_log, ccel, 0, 0);
    require_refused(machine.find(rsdp_2(rsdt, xsdt)), Fault::acpi_event_log, ccel, 0, 0);
}

TEST_CASE("a FADT has event registers in either field or does without them", "[acpi_tables]") {
    constexpr std::size_t pm1a_event = 56, flags = 112, extended_pm1a_event = 148;
    const auto found = [](std::size_t at, unsigned value, std::size_t body = 240 - header_size) {
        Blob fadt = table("FACP", Blob().fill(body, 0));
        if (at < fadt.size())
            fadt.patch(at, 1, value);
        return has_event_registers(fadt.view());
    };
    CHECK_FALSE(found(flags, 0));
    CHECK_FALSE(found(flags, 0, 0));
    CHECK(found(pm1a_event + 3, 1));
    CHECK(found(pm1a_event, 1, 60 - header_size));
    CHECK_FALSE(found(pm1a_event, 1, 59 - header_size));
    CHECK_FALSE(found(extended_pm1a_event + 3, 1)); // how wide a step is taken, no address
    CHECK(found(extended_pm1a_event + 4, 1));
    CHECK(found(extended_pm1a_event + 11, 1));
    CHECK(found(flags + 2, 1 << 4)); // hardware-reduced
    CHECK_FALSE(found(flags + 2, 1 << 3));
}

TEST_CASE("64 tables are listed and one more is refused", "[acpi_tables]") {
    for (const std::size_t count : {64UZ, 65UZ}) {
        Machine machine;
        const std::uint64_t facp = machine.add(table("FACP"));
        Blob body;
        for (std::size_t i = 0; i < count; ++i)
            body.u32(facp);
        const std::uint64_t rsdt = machine.add(table("RSDT", body));
        const auto found = machine.find(rsdp_1(static_cast<std::uint32_t>(rsdt)));
        if (count == 64)
            CHECK(found.value().size() == 64);
        else
            require_refused(found, Fault::too_many_entries, rsdt, 64, 65);
    }
}

TEST_CASE("the tables may stand in several files", "[acpi_tables]") {
    std::vector<std::byte> second = copy_of(table("SSDT").view());
    constexpr std::uint64_t second_place = 0x1'0000'1000;
    std::vector<std::byte> first = copy_of(table("XSDT", Blob().u64(second_place)).view());
    LoadedFiles files;
    Command allocate;
    allocate.file = "first";
    REQUIRE(files.add(allocate, {base}, first).has_value());
    allocate.file = "second";
    REQUIRE(files.add(allocate, {second_place}, second).has_value());
    check_found(find_tables(rsdp_2(0, base).view(), files), {second_place});
}

constexpr std::uint64_t root_place = 0x6000'0000;

/// What write_root makes, in an area of its documented size with a sentinel behind it.
struct Root {
    explicit Root(const TableList& tables) {
        rsdp = write_root(MutableBytes(area).first(root_size), {root_place}, tables,
                          GpaRange::of<0xB20000, 0x10000>());
    }
    /// `size` bytes at `address`.
    [[nodiscard]] Bytes at(std::uint64_t address, std::size_t size) const {
        REQUIRE(address >= root_place);
        REQUIRE(address - root_place + size <= root_size);
        return Bytes(area).subspan(address - root_place, size);
    }
    [[nodiscard]] std::uint64_t number_at(std::uint64_t address, std::size_t size) const {
        std::uint64_t value = 0;
        for (std::size_t i = size; i != 0; --i)
            value = value << 8 | std::to_integer<std::uint64_t>(at(address + i - 1, 1)[0]);
        return value;
    }

    std::vector<std::byte> area = std::vector<std::byte>(root_size + 64, std::byte{0xA5});
    Gpa rsdp;
};

TableList list_of(std::size_t count) {
    TableList list;
    for (std::size_t i = 0; i < count; ++i)
        REQUIRE(list.push({0x1'2345'6000 + i * 0x100}));
    return list;
}

void check_header(const Root& root, std::uint64_t address, std::string_view signature,
                  std::size_t length) {
    CHECK(copy_of(root.at(address, 4)) == Blob().text(signature).vector());
    CHECK(root.number_at(address + 4, 4) == length);
    CHECK(root.number_at(address + 8, 1) == 1); // revision, both of XSDT and of CCEL
    CHECK(sum_of(root.at(address, length)) == 0);
}

TEST_CASE("AML is what Linux executes, by the signature", "[acpi_tables]") {
    const auto header = [](std::string_view signature) {
        return Blob().text(signature).fill(header_size - 4, 0);
    };
    for (const char* const signature : {"DSDT", "SSDT", "PSDT", "OSDT"})
        CHECK(is_aml(header(signature).view()));
    for (const char* const signature : {"FACP", "APIC", "DSDt", "SDST", "RSDT", "XSDT", "OEM1"})
        CHECK_FALSE(is_aml(header(signature).view()));
    Blob cut = header("DSDT");
    cut.resize(header_size - 1);
    CHECK_FALSE(is_aml(cut.view()));
}

TEST_CASE("a FADT of any length leads where it is told to and nowhere else", "[acpi_tables]") {
    for (std::size_t size = header_size; size <= 244; ++size) {
        std::vector<std::byte> fadt(size, std::byte{0x5A});
        const auto linked = link_fadt(fadt, {0x1234'5678}, {0x9ABC'DEF0});
        if (size < 44) {
            require_refused(linked, Fault::acpi_length, 0, sizeof(Fadt), size);
            continue;
        }
        REQUIRE(linked);
        CHECK(sum_of(fadt) == 0);
        CHECK(read_at<le32>(fadt, 36).value() == 0x9ABC'DEF0);
        CHECK(read_at<le32>(fadt, 40).value() == 0x1234'5678);
        std::vector<std::byte> behind(size < 148 ? 16 : 8); // X_FIRMWARE_CTRL, X_DSDT if cut
        for (std::size_t at = 132; at < size && at < 132 + behind.size(); ++at)
            CHECK(fadt[at] == std::byte{0});
        if (size >= 148)
            CHECK(read_at<le64>(fadt, 140).value() == 0x1234'5678);
    }
}

TEST_CASE("the shim's RSDP is one of revision 2 with both checksums good", "[acpi_tables]") {
    const Root root(list_of(3));
    CHECK(root.rsdp.value % 16 == 0);
    const Bytes rsdp = root.at(root.rsdp.value, 36);
    CHECK(copy_of(rsdp.first(8)) == Blob().text("RSD PTR ").vector());
    CHECK(rsdp[15] == std::byte{2});
    CHECK(root.number_at(root.rsdp.value + 16, 4) == 0); // no RSDT
    CHECK(root.number_at(root.rsdp.value + 20, 4) == 36);
    CHECK(copy_of(rsdp.subspan(33)) == Blob().fill(3, 0).vector());
    CHECK(sum_of(rsdp.first(20)) == 0);
    CHECK(sum_of(rsdp) == 0);
}

TEST_CASE("the shim's XSDT lists the tables in order and the event log last", "[acpi_tables]") {
    for (const std::size_t count : {0UZ, 1UZ, 5UZ, max_tables}) {
        CAPTURE(count);
        const TableList tables = list_of(count);
        const Root root(tables);
        const std::uint64_t xsdt = root.number_at(root.rsdp.value + 24, 8);
        check_header(root, xsdt, "XSDT", header_size + (count + 1) * 8);
        for (std::size_t i = 0; i < count; ++i)
            CHECK(root.number_at(xsdt + header_size + i * 8, 8) == tables[i].value);
        const std::uint64_t ccel = root.number_at(xsdt + header_size + count * 8, 8);
        CHECK(copy_of(root.at(ccel, 4)) == Blob().text("CCEL").vector());
    }
}

TEST_CASE("the shim's CCEL is 56 bytes and points to the event log", "[acpi_tables]") {
    const Root root(list_of(2));
    const std::uint64_t xsdt = root.number_at(root.rsdp.value + 24, 8);
    const std::uint64_t ccel = root.number_at(xsdt + header_size + 2 * 8, 8);
    check_header(root, ccel, "CCEL", 56);
    CHECK(copy_of(root.at(ccel + 36, 4)) == Blob().u8(2).u8(0).u16(0).vector()); // TDX
    CHECK(root.number_at(ccel + 40, 8) == 0x10000);                              // LAML
    CHECK(root.number_at(ccel + 48, 8) == 0xB20000);                             // LASA
}

TEST_CASE("the shim's root keeps to its area even with all tables", "[acpi_tables]") {
    const Root root(list_of(max_tables));
    CHECK(copy_of(Bytes(root.area).subspan(root_size)) == Blob().fill(64, 0xA5).vector());
    // RSDP, XSDT and CCEL do not overlap.
    const std::uint64_t xsdt = root.number_at(root.rsdp.value + 24, 8);
    const std::uint64_t xsdt_size = header_size + (max_tables + 1) * 8;
    const std::uint64_t ccel = root.number_at(xsdt + header_size + max_tables * 8, 8);
    CHECK_FALSE(GpaRange::make({xsdt}, xsdt_size)->overlaps(*GpaRange::make({ccel}, 56)));
    CHECK_FALSE(GpaRange::make({xsdt}, xsdt_size)->overlaps(*GpaRange::make(root.rsdp, 36)));
    CHECK_FALSE(GpaRange::make({ccel}, 56)->overlaps(*GpaRange::make(root.rsdp, 36)));
}

TEST_CASE("the shim's own root would be refused as the VMM's only for its event log",
          "[acpi_tables]") {
    Root root(TableList{});
    LoadedFiles files;
    Command allocate;
    allocate.file = "root";
    REQUIRE(files.add(allocate, {root_place}, root.area).has_value());
    const std::uint64_t xsdt = root.number_at(root.rsdp.value + 24, 8);
    const std::uint64_t ccel = root.number_at(xsdt + header_size, 8);
    require_refused(find_tables(root.at(root.rsdp.value, 36), files), Fault::acpi_event_log, ccel,
                    0, 0);
}

}} // namespace tdshim::acpi
