// SPDX-License-Identifier: Apache-2.0
//
// Whole boots that end well: what is measured, where it stands, what Linux is told.
#include <algorithm>
#include <cstring>

#include <catch2/catch_test_macros.hpp>

#include "shim/memory/layout.hpp"
#include "tests/native/inputs.hpp"
#include "tests/native/linux_params.hpp"
#include "tests/native/logged.hpp"

using namespace tdshim;
using namespace tdshim::native;

namespace {

std::string name_of(const event_log::Event& event) {
    const auto description = event_log::describe(event);
    return description ? std::string(description->name) : "separator";
}

std::uint64_t joined(std::uint32_t low, std::uint32_t high) {
    return std::uint64_t{high} << 32 | low;
}

} // namespace

TEST_CASE("a good machine starts Linux at its 64-bit entry", "[native]") {
    Machine machine;
    add_good_inputs(machine);
    const Outcome outcome = machine.boot();
    CHECK(outcome.refusal() == "");
    CHECK(outcome.findings.empty());
    REQUIRE(outcome.linux);
    CHECK(outcome.linux->kernel_memory.start() == Gpa{16 * MiB});
    CHECK(outcome.linux->entry == Gpa{16 * MiB + 0x200});
    const Blob kernel = kernel_image();
    CHECK(std::ranges::equal(machine.memory({16 * MiB}, 8192), Bytes(kernel).subspan(5 * 512)));
}

TEST_CASE("every input has one event, in the order in which it was used", "[native]") {
    Machine machine;
    add_good_inputs(machine);
    REQUIRE(machine.boot().linux);
    const auto events = events_of(machine).value();
    const std::vector<std::pair<std::uint32_t, std::string>> expected{
        {1, "etc/e820"},    {1, "etc/table-loader"}, {1, "etc/acpi/rsdp"}, {1, "etc/acpi/tables"},
        {2, "td_contents"}, {2, "td_payload"},       {2, "td_initrd"},     {2, "td_payload_info"},
        {1, "separator"},   {2, "separator"}};
    REQUIRE(events.size() == expected.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        CHECK(events[i].mr_index == expected[i].first);
        CHECK(name_of(events[i]) == expected[i].second);
    }
}

TEST_CASE("digests are those of the inputs' own bytes", "[native]") {
    Machine machine;
    add_good_inputs(machine);
    const Blob script = machine.file("etc/table-loader");
    const Blob tables = machine.file("etc/acpi/tables");
    const Blob e820 = machine.file("etc/e820");
    REQUIRE(machine.boot().linux);
    const auto events = events_of(machine).value();
    CHECK(events[0].digest == crypto::sha384(events[0].data));
    CHECK(events[1].digest == crypto::sha384(named_file("etc/table-loader", script)));
    CHECK(events[3].digest ==
          crypto::sha384(named_file("etc/acpi/tables", tables))); // before it was linked
    CHECK(events[4].digest == crypto::sha384(events[4].data));
    CHECK(events[5].digest == crypto::sha384(kernel_image()));
    CHECK(events[6].digest == crypto::sha384(text_blob("not a cpio archive, and nobody looks")));
    CHECK(events[7].digest == crypto::sha384(text_blob("console=ttyS0")));
}

TEST_CASE("the log replays to the registers", "[native]") {
    Machine machine;
    add_good_inputs(machine);
    REQUIRE(machine.boot().linux);
    CHECK(log_leads_to_registers(machine));
}

TEST_CASE("boot_params lead to initrd, command line, tables and memory", "[native]") {
    Machine machine;
    add_good_inputs(machine);
    const Outcome outcome = machine.boot();
    REQUIRE(outcome.linux);
    const auto params = params_of(machine, outcome);

    const Gpa initrd{joined(params.header.ramdisk_image, params.ext_ramdisk_image)};
    CHECK(initrd.value >= 256 * MiB); // the highest place below 4 GiB
    CHECK(initrd.value < 4 * GiB);
    const Blob initrd_file = text_blob("not a cpio archive, and nobody looks");
    CHECK(joined(params.header.ramdisk_size, params.ext_ramdisk_size) == initrd_file.size());
    CHECK(std::ranges::equal(machine.memory(initrd, initrd_file.size()), initrd_file));

    const Gpa command_line{joined(params.header.cmd_line_ptr, params.ext_cmd_line_ptr)};
    const MutableBytes text = machine.memory(command_line, 14);
    CHECK(std::memcmp(text.data(), "console=ttyS0", 14) == 0); // with its NUL
    CHECK(params.header.type_of_loader == 0xFF);

    const Bytes rsdp = machine.memory({params.acpi_rsdp_addr}, 8);
    CHECK(std::memcmp(rsdp.data(), "RSD PTR ", 8) == 0);
}

TEST_CASE("Linux is told of the event log as NVS and of no memory in the legacy hole", "[native]") {
    Machine machine;
    add_good_inputs(machine);
    const Outcome outcome = machine.boot();
    REQUIRE(outcome.linux);
    const auto params = params_of(machine, outcome);
    bool log_is_nvs = false;
    std::uint64_t end_of_previous = 0;
    for (std::size_t i = 0; i < params.e820_entries; ++i) {
        const e820::WireEntry& entry = params.e820_table[i];
        CHECK(entry.address >= end_of_previous);
        end_of_previous = entry.address + entry.size;
        const auto range = GpaRange::make({entry.address}, entry.size);
        REQUIRE(range);
        if (entry.type == 4 && range->contains(layout::event_log))
            log_is_nvs = true;
        if (entry.type == 1) {
            CHECK_FALSE(range->overlaps(GpaRange::of<0xA0000, 0x60000>()));
            CHECK_FALSE(range->overlaps(layout::event_log));
        }
    }
    CHECK(log_is_nvs);
}

TEST_CASE("an initrd stays below initrd_addr_max of a kernel that takes none above 4 GiB",
          "[native]") {
    Machine machine;
    add_good_inputs(machine);
    set_header(machine.file("opt/org.tdshim/kernel"), 0x236, le16{linux_boot::xload_64bit_entry});
    set_header(machine.file("opt/org.tdshim/kernel"), 0x22C, le32{0x0FFFFFFF});
    const Outcome outcome = machine.boot();
    REQUIRE(outcome.linux);
    const auto params = params_of(machine, outcome);
    CHECK(params.ext_ramdisk_image == 0);
    CHECK(params.header.ramdisk_image + params.header.ramdisk_size - 1 <= 0x0FFFFFFF);
}

TEST_CASE("etc/boot/kernel serves where no named kernel is", "[native]") {
    Machine machine;
    add_good_inputs(machine);
    machine.remove_file("opt/org.tdshim/kernel");
    machine.add_file("etc/boot/kernel", kernel_image(4096));
    REQUIRE(machine.boot().linux);
    CHECK(events_of(machine).value()[5].digest == crypto::sha384(kernel_image(4096)));
}

TEST_CASE("the legacy keys are measured as they came, the command line without its NUL",
          "[native]") {
    Machine machine;
    add_good_inputs(machine);
    for (const auto* name : {"kernel", "initrd", "cmdline"})
        machine.remove_file(std::string("opt/org.tdshim/") + name);
    const Blob kernel = kernel_image();
    const auto middle = kernel.begin() + 5 * 512;
    machine.set_item(fw_cfg::setup_size, wire_blob(le32{5 * 512}));
    machine.set_item(fw_cfg::setup_data, Blob(kernel.begin(), middle));
    machine.set_item(fw_cfg::kernel_size, wire_blob(le32{8192}));
    machine.set_item(fw_cfg::kernel_data, Blob(middle, kernel.end()));
    machine.set_item(fw_cfg::initrd_size, wire_blob(le32{6}));
    machine.set_item(fw_cfg::initrd_data, text_blob("legacy"));
    machine.set_item(fw_cfg::command_line_size, wire_blob(le32{6}));
    machine.set_item(fw_cfg::command_line_data, text_blob(std::string_view("quiet\0", 6)));
    const Outcome outcome = machine.boot();
    CHECK(outcome.refusal() == "");
    REQUIRE(outcome.linux);
    const auto events = events_of(machine).value();
    CHECK(events[5].digest == crypto::sha384(kernel));
    CHECK(events[6].digest == crypto::sha384(text_blob("legacy")));
    CHECK(events[7].digest == crypto::sha384(text_blob("quiet")));
}

TEST_CASE("a machine without initrd, command line and ACPI boots all the same", "[native]") {
    Machine machine;
    add_good_inputs(machine);
    for (const auto* name : {"opt/org.tdshim/initrd", "opt/org.tdshim/cmdline", "etc/table-loader"})
        machine.remove_file(name);
    const Outcome outcome = machine.boot();
    CHECK(outcome.refusal() == "");
    REQUIRE(outcome.linux);
    const auto params = params_of(machine, outcome);
    CHECK(params.acpi_rsdp_addr == 0);
    CHECK(params.header.ramdisk_size == 0);
    // An empty command line is measured too: its absence is a fact that a verifier relies on.
    CHECK(events_of(machine).value()[3].digest == crypto::sha384({}));
}

TEST_CASE("a pointer that the VMM asked for is written back to it", "[native]") {
    Machine machine;
    add_good_inputs(machine);
    machine.add_file("etc/vmgenid_addr", Blob(8));
    replace_command(machine, 6, write_pointer("etc/vmgenid_addr", "etc/acpi/tables", 0, 40, 8));
    REQUIRE(machine.boot().linux);
    const auto& written = machine.written();
    REQUIRE(written.size() == 1);
    CHECK(written.begin()->first.first == machine.selector_of("etc/vmgenid_addr"));
    const auto value = read_at<le64>(written.begin()->second, 0);
    REQUIRE(value);
    CHECK(*value % 4096 == 40);
}

TEST_CASE("a kernel whose preferred place is taken is put above it", "[native]") {
    Machine machine;
    add_good_inputs(machine);
    set_header(machine.file("opt/org.tdshim/kernel"), 0x258, le64{8 * MiB});
    const Outcome outcome = machine.boot();
    REQUIRE(outcome.linux);
    CHECK(outcome.linux->kernel_memory.start() == Gpa{12 * MiB});
}
