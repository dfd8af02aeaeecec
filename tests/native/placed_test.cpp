// SPDX-License-Identifier: Apache-2.0
//
// Whole boots of a TD whose image has the VMM place payload, initrd and command line, or owns its
// memory: nothing comes by fw_cfg, and what the VMM placed or announced wrongly ends the boot.
#include <algorithm>
#include <functional>

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/acpi/tables.hpp"
#include "shim/memory/layout.hpp"
#include "tests/native/inputs.hpp"
#include "tests/native/launch.hpp"
#include "tests/native/linux_params.hpp"
#include "tests/native/logged.hpp"

using namespace tdshim;
using namespace tdshim::native;

namespace {

void check_refused(const Launch& launch, std::string_view reason) {
    Machine machine;
    start(machine, launch);
    const Outcome outcome = machine.boot();
    CAPTURE(outcome.refusal(), reason);
    CHECK_FALSE(outcome.linux);
    CHECK_FALSE(outcome.executable);
    CHECK(outcome.refusal().starts_with(reason));
    CHECK(outcome.findings.empty());
    CHECK(log_leads_to_registers(machine));
    // What is refused was measured: HOB, payload, separators; and before the payload what it is,
    // where that could be told.
    if (reason.starts_with("Payload section")) {
        const auto events = events_of(machine).value();
        const bool is_told = event_log::describe(events[1])->name == "td_contents";
        CHECK(events.size() == (is_told ? 5 : 4));
    }
}

Blob small_elf() {
    constexpr std::uint64_t base = 32 * MiB;
    return elf_image(base, base);
}

/// The payload HOB list's data under a GUID.
std::vector<Bytes> extensions(Machine& machine, Gpa list, const Guid& name) {
    const Bytes area = machine.memory(list, 512 * KiB);
    std::vector<Bytes> found;
    for (hob::Walk walk(area);;) {
        const auto framed = walk.next();
        REQUIRE(framed);
        if (framed->type == hob::HobType::end_of_list)
            return found;
        if (framed->type != hob::HobType::guid_extension)
            continue;
        if (read_at<hob::GuidHeader>(framed->hob, 0)->name == name)
            found.push_back(framed->hob.subspan(sizeof(hob::GuidHeader)));
    }
}

} // namespace

TEST_CASE("Linux starts from where the VMM put it", "[native][placed]") {
    Machine machine;
    start(machine, {});
    const Outcome outcome = machine.boot();
    CHECK(outcome.refusal() == "");
    CHECK(outcome.findings.empty());
    REQUIRE(outcome.linux);
    const auto params = params_of(machine, outcome);
    CHECK(std::ranges::equal(
        machine.memory({params.header.ramdisk_image}, params.header.ramdisk_size),
        bytes_of(std::string_view("an initrd"))));
    CHECK(std::ranges::equal(machine.memory({params.header.cmd_line_ptr}, 14),
                             text_blob(std::string("console=ttyS0\0", 14))));
    const auto events = events_of(machine).value();
    REQUIRE(events.size() == 7); // HOB, contents, kernel, initrd, command line, separators
    CHECK(log_leads_to_registers(machine));
    CHECK(events[2].digest == crypto::sha384(kernel_image()));
}

TEST_CASE("tables of the HOB are linked: a FADT to its DSDT and a FACS", "[native][placed]") {
    Machine machine;
    start(machine, {});
    const Outcome outcome = machine.boot();
    REQUIRE(outcome.linux);
    const auto params = params_of(machine, outcome);
    const auto tables = listed_tables(machine, params.acpi_rsdp_addr);
    REQUIRE(tables.size() == 3); // FADT, MADT, CCEL
    for (const Bytes listed : tables) {
        const bool is_ccel = acpi::has_signature(listed, "CCEL");
        CHECK((is_ccel || acpi::check_table(listed, 0)));
    }
    REQUIRE(acpi::has_signature(tables[0], "FACP"));
    const Gpa dsdt = acpi::dsdt_of(tables[0]).value();
    CHECK(acpi::has_signature(machine.memory(dsdt, 100), "DSDT"));
    const auto fadt = read_at<acpi::Fadt>(tables[0], 0);
    const auto facs = read_at<acpi::Facs>(machine.memory({fadt->facs}, sizeof(acpi::Facs)), 0);
    CHECK(std::string_view(facs->signature) == "FACS");
    CHECK(tables[1].size() == sizeof(acpi::MadtHeader) + acpi::wakeup_structure_size);
}

TEST_CASE("a TD without a MADT has one made", "[native][placed]") {
    Launch launch;
    launch.extras.acpi_tables.clear();
    Machine machine;
    start(machine, launch);
    const Outcome outcome = machine.boot();
    REQUIRE(outcome.linux);
    const auto params = params_of(machine, outcome);
    const auto tables = listed_tables(machine, params.acpi_rsdp_addr);
    REQUIRE(tables.size() == 2);
    CHECK(acpi::has_signature(tables[0], "APIC"));
}

TEST_CASE("a portable image measures the tables one by one", "[native][placed]") {
    Launch launch;
    launch.options = tdvf::option_portable;
    Machine machine;
    start(machine, launch);
    REQUIRE(machine.boot().linux);
    const auto events = events_of(machine).value();
    REQUIRE(events.size() == 1 + 3 + 4 + 2);
    CHECK(events[1].digest == crypto::sha384(named_file("DSDT", launch.extras.acpi_tables[0])));
}

TEST_CASE("without payload info the content tells the kind", "[native][placed]") {
    Launch launch;
    launch.extras.payload.reset();
    Machine machine;
    start(machine, launch);
    CHECK(machine.boot().linux);
}

TEST_CASE("an executable gets the HOB list, with unaccepted memory of its own type",
          "[native][placed]") {
    Launch launch;
    launch.memory = 6 * GiB;
    launch.payload = small_elf();
    launch.extras.payload = hob::PayloadInfo{0U, 0U, 0ULL};
    Machine machine;
    start(machine, launch);
    const Outcome outcome = machine.boot();
    CHECK(outcome.refusal() == "");
    CHECK(outcome.findings.empty());
    REQUIRE(outcome.executable);
    CHECK(outcome.executable->entry == Gpa{32 * MiB + 0x80});
    CHECK(outcome.executable->base == Gpa{32 * MiB});
    const auto maps = extensions(machine, outcome.executable->hob, hob::e820_table_guid);
    REQUIRE(maps.size() == 1);
    std::uint64_t unaccepted = 0;
    for (Reader reader(maps[0]); reader.left() >= sizeof(e820::WireEntry);) {
        const auto entry = *reader.take<e820::WireEntry>();
        if (entry.type == static_cast<std::uint32_t>(e820::Type::unaccepted))
            unaccepted += entry.size;
    }
    CHECK(unaccepted > 4 * GiB);
    CHECK(extensions(machine, outcome.executable->hob, hob::acpi_table_guid).size() == 4);
    CHECK(events_of(machine).value().size() == 5); // HOB, contents, payload, separators
}

TEST_CASE("a service TD owns its memory and gets nothing from the VMM", "[native][placed]") {
    Launch launch;
    launch.profile = linker::Profile::service_td;
    launch.payload = small_elf();
    launch.initrd.clear();
    Machine machine;
    start(machine, launch);
    const Outcome outcome = machine.boot();
    CHECK(outcome.refusal() == "");
    CHECK(outcome.findings.empty());
    REQUIRE(outcome.executable);
    const auto events = events_of(machine).value();
    CHECK(events.size() == 4); // contents, payload, separators: RTMR[0] is known beforehand
    const auto maps = extensions(machine, outcome.executable->hob, hob::e820_table_guid);
    REQUIRE(maps.size() == 1);
    for (Reader reader(maps[0]); reader.left() >= sizeof(e820::WireEntry);) {
        const auto entry = *reader.take<e820::WireEntry>();
        // The HOB's 512 MiB are ignored.
        CHECK((entry.address != 0 || entry.size == layout::service_below_640k.size()));
    }
}

TEST_CASE("what a VMM places or announces wrongly ends the boot", "[native][placed]") {
    const std::vector<std::pair<std::string_view, std::function<void(Launch&)>>> cases{
        {"Payload section: payload is not of the kind",
         [](Launch& launch) { launch.extras.payload->image_type = 0U; }},
        {"Payload section: payload is not of the kind",
         [](Launch& launch) { launch.extras.payload->image_type = 3U; }},
        {"Payload section: payload is not of the kind",
         [](Launch& launch) { launch.extras.payload->image_type = 77U; }},
        {"Payload section: payload is no bzImage",
         [](Launch& launch) { launch.payload.assign(10000, std::byte{0}); }},
        {"Payload section: vmlinux is linked for memory",
         [](Launch& launch) {
             launch.payload.assign(10000, std::byte{0});
             launch.extras.payload = hob::PayloadInfo{3U, 0U, payload_section.end().value};
         }},
        {"Payload section: input ends too early",
         [](Launch& launch) { overwrite(launch.payload, 0x1F4, le32{0x200000U}); }},
        {"initrd in the Payload section: initrd that the VMM announced",
         [](Launch& launch) {
             launch.extras.initrd = hob::InitrdInfo{payload_section.end().value - 8, 9ULL};
         }},
        {"initrd in the Payload section: initrd that the VMM announced",
         [](Launch& launch) { launch.extras.initrd = hob::InitrdInfo{8 * MiB, 9ULL}; }},
        {"PayloadParam section: command line has no NUL",
         [](Launch& launch) { launch.parameter.assign(4096, std::byte{'x'}); }},
        {"PayloadParam section: command line is longer",
         [](Launch& launch) {
             launch.parameter.assign(2000, std::byte{'x'});
             launch.parameter.push_back(std::byte{0});
         }},
        {"ACPI tables in the TD HOB: ACPI table has a wrong checksum",
         [](Launch& launch) { launch.extras.acpi_tables[0][50] ^= std::byte{1}; }},
        {"ACPI tables in the TD HOB: ACPI table",
         [](Launch& launch) { overwrite(launch.extras.acpi_tables[0], 4, le32{4096U}); }},
        // Nobody would measure how much is behind a table, and the next one's place follows from
        // it.
        {"ACPI tables in the TD HOB: ACPI table has a wrong length",
         [](Launch& launch) {
             launch.extras.acpi_tables[0].resize(launch.extras.acpi_tables[0].size() + 8);
         }},
        {"ACPI tables in the TD HOB: ",
         [](Launch& launch) {
             launch.extras.acpi_tables.push_back(table({'C', 'C', 'E', 'L'}, sizeof(acpi::Ccel)));
         }},
    };
    for (const auto& [reason, change] : cases) {
        Launch launch;
        change(launch);
        check_refused(launch, reason);
    }
}
