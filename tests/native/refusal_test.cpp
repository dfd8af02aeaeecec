// SPDX-License-Identifier: Apache-2.0
//
// Boots with one hostile or broken input each: one line that names the input, error separators with
// that reason in both registers, no payload, and nothing read twice or touched outside.
#include <algorithm>
#include <functional>

#include <catch2/catch_test_macros.hpp>

#include "tests/native/inputs.hpp"
#include "tests/native/logged.hpp"

using namespace tdshim;
using namespace tdshim::native;

namespace {

struct Case {
    const char* name;
    std::function<void(Machine&)> spoil;
    const char* refusal; ///< how the console line goes on after "tdshim: boot refused: "
};

/// Both registers end with an error separator that carries the reason.
void check_error_separators(Machine& machine, const std::string& reason) {
    const auto events = events_of(machine).value();
    for (const event_log::Event& event : events) {
        if (event.type != event_log::EventType::separator)
            continue;
        CHECK(event.digest == crypto::sha384(bytes_of(le32{1})));
        CHECK(std::ranges::equal(event.data.first(4), bytes_of(le32{1})));
        CHECK(std::ranges::equal(event.data.subspan(4), bytes_of(std::string_view(reason))));
    }
    CHECK(count_separators(events) == 2);
    CHECK(log_leads_to_registers(machine));
}

void check(const Case& expected, bool is_td) {
    INFO(expected.name << (is_td ? " in a TD" : " in a plain VM"));
    Machine machine;
    add_good_inputs(machine);
    if (is_td)
        machine.make_td(good_td_hob());
    expected.spoil(machine);
    const Outcome outcome = machine.boot();
    CHECK_FALSE(outcome.linux);
    CHECK(outcome.findings.empty());
    CHECK(outcome.refusal().starts_with(expected.refusal));
    INFO(outcome.refusal());
    CHECK(outcome.refusal() != "");
    check_error_separators(machine, outcome.refusal());
}

/// In both kinds of machine; a TD does not read e820.
void check(const Case& expected) {
    check(expected, false);
    if (!std::string_view(expected.refusal).starts_with("etc/e820"))
        check(expected, true);
}

Blob& kernel(Machine& machine) {
    return machine.file("opt/org.tdshim/kernel");
}

auto memory_item(std::initializer_list<e820::WireEntry> entries) {
    return [map = memory_map(entries)](Machine& machine) { machine.file("etc/e820") = map; };
}

auto header(std::size_t offset, auto value) {
    return [=](Machine& machine) { set_header(kernel(machine), offset, value); };
}

auto command(std::size_t index, acpi::LoaderCommand wire) {
    return [=](Machine& machine) { replace_command(machine, index, wire); };
}

acpi::LoaderCommand unterminated() {
    acpi::LoaderCommand wire = allocate("etc/acpi/rsdp");
    wire.allocate.file.fill('x');
    return wire;
}

acpi::LoaderCommand unknown_command() {
    acpi::LoaderCommand wire = allocate("etc/acpi/rsdp");
    wire.command = 77;
    return wire;
}

/// A directory of one entry with this name and selector.
Blob directory(std::string_view name, std::uint16_t selector, std::uint32_t times = 1) {
    Blob bytes = wire_blob(be32{times});
    for (std::uint32_t i = 0; i < times; ++i) {
        fw_cfg::DirectoryEntry entry{.size = 20, .select = selector, .reserved = 0, .name = {}};
        std::ranges::copy(name, entry.name.begin());
        bytes.append_range(bytes_of(entry));
    }
    return bytes;
}

auto with_directory(Blob content) {
    return [=](Machine& machine) { machine.set_directory(content); };
}

const e820::WireEntry low = usable(0, 512 * MiB);

} // namespace

TEST_CASE("a kernel that runs alone where no memory can be given is refused", "[native]") {
    check({"a last page that is not whole",
           [](Machine& machine) {
               set_header(kernel(machine), 0x258, le64{~std::uint64_t{0} - 0x8000'0000 + 0x1000});
               set_header(kernel(machine), 0x260, le32{0x7FFF'EFFF});
               set_header(kernel(machine), 0x230, le32{4096});
               set_header(kernel(machine), 0x234, std::uint8_t{0});
           },
           "opt/org.tdshim/kernel: "});
    check({"a start inside of a page",
           [](Machine& machine) {
               set_header(kernel(machine), 0x258, le64{16 * MiB + 1});
               set_header(kernel(machine), 0x260, le32{1 * MiB});
               set_header(kernel(machine), 0x230, le32{4096});
               set_header(kernel(machine), 0x234, std::uint8_t{0});
           },
           "opt/org.tdshim/kernel: kernel does not fit"});
}

TEST_CASE("a bad fw_cfg directory is refused", "[native]") {
    const std::string long_name(56, 'n');
    for (const Case& one : {
             Case{"absurd count", with_directory(wire_blob(be32{0x01000000})),
                  "fw_cfg directory: fw_cfg directory has an absurd number of files (at 0x0: "
                  "expected 0x100, found 0x1000000)"},
             Case{"one file more than there is room for", with_directory(wire_blob(be32{257})),
                  "fw_cfg directory: fw_cfg directory has an absurd number of files (at 0x0: "
                  "expected 0x100, found 0x101)"},
             Case{"name without end", with_directory(directory(long_name, 0x20)),
                  "fw_cfg directory: fw_cfg file name is empty or not terminated"},
             Case{"empty name", with_directory(directory("", 0x20)),
                  "fw_cfg directory: fw_cfg file name is empty or not terminated"},
             Case{"selector of a legacy item", with_directory(directory("etc/e820", 0x11)),
                  "fw_cfg directory: fw_cfg file has a selector below the file range (at 0x0: "
                  "expected 0x20, found 0x11)"},
             Case{"same name twice", with_directory(directory("etc/e820", 0x20, 2)),
                  "fw_cfg directory: fw_cfg directory names a file twice (at 0x40"},
             Case{"device fails at once", [](Machine& machine) { machine.fail_transfers_after(0); },
                  "fw_cfg directory: fw_cfg DMA transfer failed"},
             Case{"device fails in the memory map",
                  [](Machine& machine) { machine.fail_transfers_after(2); },
                  "etc/e820: fw_cfg DMA transfer failed"},
             Case{"no memory map", with_directory(directory("etc/other", 0x20)),
                  "etc/e820: fw_cfg item is missing"},
         })
        check(one);
}

TEST_CASE("a name of the VMM's forges no line", "[native]") {
    constexpr std::string_view name = "etc/a\r\n\x1b[2Jtdshim: kernel: ok";
    const std::string shown = R"(etc/a\x0d\x0a\x1b[2Jtdshim: kernel: ok)";
    const std::string missing = shown + ": fw_cfg item is missing";
    const std::string empty = shown + ": fw_cfg item has an absurd size";
    const auto load = command(load_tables, allocate(name));
    check({"missing", load, missing.c_str()});
    check({"empty",
           [&](Machine& machine) {
               load(machine);
               machine.add_file(name, {});
           },
           empty.c_str()});
}

TEST_CASE("every line of a refused boot is printable", "[native]") {
    Machine machine;
    add_good_inputs(machine);
    replace_command(machine, load_tables, allocate("etc/a\n\x1b[2Jtdshim: kernel: ok\x80"));
    for (const std::string& line : machine.boot().console) {
        INFO(line);
        CHECK(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }));
    }
}

TEST_CASE("a bad memory map is refused", "[native]") {
    for (const Case& one : {
             Case{"not whole entries",
                  [](Machine& machine) { machine.file("etc/e820").resize(39); },
                  "etc/e820: memory map is not a whole number of 20-byte entries (at 0x27: "
                  "expected 0x14, found 0x13)"},
             Case{"too many entries",
                  [](Machine& machine) { machine.file("etc/e820").resize(129 * 20); },
                  "etc/e820: fw_cfg item has an absurd size"},
             Case{"no entries", memory_item({}),
                  "etc/e820: memory map has no usable memory where the shim needs it"},
             Case{"entry of size zero", memory_item({low, usable(4 * GiB, 0)}),
                  "etc/e820: memory map has an entry of size zero (at 0x14"},
             Case{"entry that wraps", memory_item({low, usable(~std::uint64_t{0} - 4095, 8192)}),
                  "etc/e820: address range wraps around"},
             Case{"same entry twice", memory_item({low, low}),
                  "etc/e820: memory map has overlapping entries"},
             Case{"overlap by one byte", memory_item({low, usable(512 * MiB - 1, MiB)}),
                  "etc/e820: memory map has overlapping entries (at 0x1fffffff: expected "
                  "0x20000000, found 0x1fffffff)"},
             Case{"reserved range inside memory", memory_item({low, {MiB, 4096, 2}}),
                  "etc/e820: memory map has overlapping entries"},
             Case{"too little memory for the shim", memory_item({usable(0, 8 * MiB)}),
                  "etc/e820: memory map has no usable memory where the shim needs it (at 0x800000"},
             Case{"a hole in the shim's data",
                  memory_item({usable(0, 10 * MiB), usable(10 * MiB + 4096, GiB)}),
                  "etc/e820: memory map has no usable memory where the shim needs it (at 0xa00000"},
             Case{"no memory for the event log", memory_item({usable(0, 11 * MiB + 128 * KiB)}),
                  "etc/e820: memory map has no usable memory where the shim needs it (at 0xb20000"},
         })
        check(one);
}

TEST_CASE("a bad table-loader script is refused", "[native]") {
    for (
        const Case& one : {
            Case{
                "not whole commands",
                [](Machine& machine) { machine.file("etc/table-loader").resize(127); },
                "etc/table-loader: table-loader script is not a whole number of 128-byte commands"},
            Case{"too many commands",
                 [](Machine& machine) { machine.file("etc/table-loader").resize(1025 * 128); },
                 "etc/table-loader: more entries than there is room for"},
            Case{"empty script file",
                 [](Machine& machine) { machine.file("etc/table-loader").clear(); },
                 "etc/table-loader: fw_cfg item has an absurd size"},
            Case{"unknown command", command(load_rsdp, unknown_command()),
                 "etc/table-loader: table-loader command is unknown (at 0x0: expected 0x4, found "
                 "0x4d)"},
            Case{"file name without end", command(load_rsdp, unterminated()),
                 "etc/table-loader: table-loader file name is empty or not terminated (at 0x4"},
            Case{"empty file name", command(load_rsdp, allocate("")),
                 "etc/table-loader: table-loader file name is empty or not terminated (at 0x4"},
            Case{"file that fw_cfg does not have", command(load_rsdp, allocate("etc/none")),
                 "etc/none: fw_cfg item is missing"},
            Case{"file loaded twice", command(load_tables, allocate("etc/acpi/rsdp")),
                 "etc/acpi/rsdp: fw_cfg item is asked for twice"},
            Case{"the script loads itself", command(load_tables, allocate("etc/table-loader")),
                 "etc/table-loader: fw_cfg item is asked for twice"},
            Case{"alignment zero", command(load_rsdp, allocate("etc/acpi/rsdp", 0)),
                 "etc/table-loader: table-loader alignment is not a power of two up to 64 KiB"},
            Case{"alignment not a power of two", command(load_rsdp, allocate("etc/acpi/rsdp", 48)),
                 "etc/table-loader: table-loader alignment is not a power of two up to 64 KiB"},
            Case{"alignment absurd", command(load_rsdp, allocate("etc/acpi/rsdp", 0x80000000)),
                 "etc/table-loader: table-loader alignment is not a power of two up to 64 KiB"},
            Case{"zone unknown", command(load_rsdp, allocate("etc/acpi/rsdp", 16, 3)),
                 "etc/table-loader: table-loader zone is unknown"},
            Case{
                "pointer in a file that is not loaded",
                command(link_table, add_pointer("etc/none", "etc/acpi/tables", 36, 4)),
                "etc/table-loader: table-loader command names a file that is not loaded (at 0x100"},
            Case{
                "pointer to a file that is not loaded",
                command(link_table, add_pointer("etc/acpi/tables", "etc/none", 36, 4)),
                "etc/table-loader: table-loader command names a file that is not loaded (at 0x100"},
            Case{"pointer past the file's end",
                 command(link_table, add_pointer("etc/acpi/tables", "etc/acpi/tables", 89, 4)),
                 "etc/table-loader: table-loader offset lies outside the file (at 0x100: expected "
                 "0x5c, found 0x59)"},
            Case{"pointer offset that wraps",
                 command(link_table,
                         add_pointer("etc/acpi/tables", "etc/acpi/tables", 0xFFFFFFFE, 4)),
                 "etc/table-loader: table-loader offset lies outside the file"},
            Case{"pointer size 3",
                 command(link_table, add_pointer("etc/acpi/tables", "etc/acpi/tables", 36, 3)),
                 "etc/table-loader: table-loader pointer size is not 1, 2, 4 or 8"},
            Case{"pointer size 0",
                 command(link_table, add_pointer("etc/acpi/tables", "etc/acpi/tables", 36, 0)),
                 "etc/table-loader: table-loader pointer size is not 1, 2, 4 or 8"},
            Case{"pointer size 16",
                 command(link_table, add_pointer("etc/acpi/tables", "etc/acpi/tables", 36, 16)),
                 "etc/table-loader: table-loader pointer size is not 1, 2, 4 or 8"},
            Case{"pointer too small for the address",
                 command(link_table, add_pointer("etc/acpi/tables", "etc/acpi/tables", 36, 2)),
                 "etc/table-loader: table-loader pointer size is not 1, 2, 4 or 8, or the value "
                 "does not fit"},
            Case{"pointer that leads out of the file",
                 command(link_table, add_pointer("etc/acpi/tables", "etc/acpi/rsdp", 36, 4)),
                 "etc/table-loader: table-loader offset lies outside the file (at 0x100: expected "
                 "0x14, found 0x28)"},
            Case{"checksum of a file that is not loaded",
                 command(sum_rsdt, add_checksum("etc/none", 9, 0, 40)),
                 "etc/table-loader: table-loader command names a file that is not loaded"},
            Case{"checksum range past the end",
                 command(sum_rsdt, add_checksum("etc/acpi/tables", 9, 0, 93)),
                 "etc/table-loader: table-loader checksum range lies outside the file (at 0x180: "
                 "expected 0x5c, found 0x5d)"},
            Case{"checksum range that wraps",
                 command(sum_rsdt, add_checksum("etc/acpi/tables", 9, 0x10, 0xFFFFFFFF)),
                 "etc/table-loader: table-loader checksum range lies outside the file"},
            Case{"checksum range empty",
                 command(sum_rsdt, add_checksum("etc/acpi/tables", 9, 0, 0)),
                 "etc/table-loader: table-loader checksum range lies outside the file"},
            Case{"checksum byte outside",
                 command(sum_rsdt, add_checksum("etc/acpi/tables", 92, 0, 40)),
                 "etc/table-loader: table-loader offset lies outside the file"},
            Case{
                "write_pointer to an unknown file",
                command(6, write_pointer("etc/none", "etc/acpi/tables", 0, 0, 8)),
                "etc/table-loader: table-loader command names a file that is not loaded (at 0x300"},
            Case{"write_pointer outside its file",
                 command(6, write_pointer("etc/e820", "etc/acpi/tables", 36, 0, 8)),
                 "etc/table-loader: table-loader offset lies outside the file"},
            Case{"write_pointer to outside the source",
                 command(6, write_pointer("etc/e820", "etc/acpi/tables", 0, 92, 8)),
                 "etc/table-loader: table-loader offset lies outside the file"},
        })
        check(one);
}

TEST_CASE("bad ACPI tables are refused", "[native]") {
    const auto spoil = [](const char* file, std::size_t offset, auto value) {
        return [=](Machine& machine) { overwrite(machine.file(file), offset, value); };
    };
    for (const Case& one : {
             Case{"no RSDP file", command(load_rsdp, {}),
                  "etc/table-loader: table-loader command names a file that is not loaded"},
             Case{"RSDP too short",
                  [](Machine& machine) { machine.file("etc/acpi/rsdp").resize(19); },
                  "etc/table-loader: table-loader offset lies outside the file"},
             Case{"RSDP signature", spoil("etc/acpi/rsdp", 0, std::uint8_t{'X'}),
                  "etc/acpi/rsdp: ACPI table has a wrong signature"},
             Case{"RSDP not summed", command(sum_rsdp, {}),
                  "etc/acpi/rsdp: ACPI table has a wrong checksum"},
             Case{"RSDT not linked", command(link_rsdt, {}),
                  "etc/acpi/rsdp: ACPI table lies outside the loaded files"},
             Case{"table not linked", command(link_table, {}),
                  "etc/acpi/rsdp: ACPI table lies outside the loaded files (at 0x28"},
             Case{"RSDT signature", spoil("etc/acpi/tables", 0, std::uint8_t{'X'}),
                  "etc/acpi/rsdp: ACPI table has a wrong signature"},
             Case{"RSDT not summed", command(sum_rsdt, {}),
                  "etc/acpi/rsdp: ACPI table has a wrong checksum"},
             Case{"RSDT length beyond its file", spoil("etc/acpi/tables", 4, le32{93}),
                  "etc/acpi/rsdp: ACPI table has a wrong length"},
             Case{"RSDT shorter than a header", spoil("etc/acpi/tables", 4, le32{35}),
                  "etc/acpi/rsdp: ACPI table has a wrong length"},
             Case{"table with a wrong checksum", spoil("etc/acpi/tables", 40 + 9, std::uint8_t{0}),
                  "etc/acpi/rsdp: ACPI table has a wrong checksum"},
             Case{"table longer than its file", spoil("etc/acpi/tables", 40 + 4, le32{0xFFFFFFFF}),
                  "etc/acpi/rsdp: ACPI table has a wrong length"},
         })
        check(one);
}

TEST_CASE("a bad kernel is refused", "[native]") {
    for (const Case& one : {
             Case{"no kernel",
                  [](Machine& machine) { machine.remove_file("opt/org.tdshim/kernel"); },
                  "fw_cfg legacy kernel: no kernel"},
             Case{"empty kernel", [](Machine& machine) { kernel(machine).clear(); },
                  "opt/org.tdshim/kernel: payload is no bzImage"},
             Case{"cut in the header", [](Machine& machine) { kernel(machine).resize(0x26B); },
                  "opt/org.tdshim/kernel: input ends too early (at 0x1f1"},
             Case{"cut in the setup part",
                  [](Machine& machine) { kernel(machine).resize(5 * 512); },
                  "opt/org.tdshim/kernel: kernel is shorter than its setup header says (at 0x1f1"},
             Case{"cut in the code",
                  [](Machine& machine) { kernel(machine).resize(kernel(machine).size() - 16); },
                  "opt/org.tdshim/kernel: kernel is shorter than its setup header says (at 0x1f4"},
             Case{"boot flag", header(0x1FE, le16{0xAA54}),
                  "opt/org.tdshim/kernel: kernel has no boot flag 0xAA55: not a bzImage (at 0x1fe: "
                  "expected 0xaa55, found 0xaa54)"},
             Case{"magic", header(0x202, le32{0x53726449}),
                  "opt/org.tdshim/kernel: kernel has no header signature HdrS"},
             Case{"protocol 2.11", header(0x206, le16{0x020B}),
                  "opt/org.tdshim/kernel: kernel's boot protocol is older than 2.12 (at 0x206: "
                  "expected 0x20c, found 0x20b)"},
             Case{"zImage", header(0x211, std::uint8_t{0}),
                  "opt/org.tdshim/kernel: kernel is not made to be loaded at 1 MiB or above"},
             Case{"no 64-bit entry", header(0x236, le16{2}),
                  "opt/org.tdshim/kernel: kernel has no 64-bit entry point"},
             Case{"setup_sects beyond the file", header(0x1F1, std::uint8_t{255}),
                  "opt/org.tdshim/kernel: kernel is shorter than its setup header says"},
             Case{"syssize beyond the file", header(0x1F4, le32{0xFFFFFFFF}),
                  "opt/org.tdshim/kernel: kernel is shorter than its setup header says"},
             Case{"the script loads itself", command(load_tables, allocate("etc/table-loader")),
                  "etc/table-loader: fw_cfg item is asked for twice"},
             Case{"alignment zero", header(0x230, le32{0}),
                  "opt/org.tdshim/kernel: kernel's alignment is not a power of two"},
             Case{"alignment odd", header(0x230, le32{0x300000}),
                  "opt/org.tdshim/kernel: kernel's alignment is not a power of two"},
             Case{"init_size below the code", header(0x260, le32{8191}),
                  "opt/org.tdshim/kernel: kernel's init_size is smaller than its code or absurd "
                  "(at 0x260: expected 0x2000, found 0x1fff)"},
             Case{"init_size absurd", header(0x260, le32{0xFFFFFFFF}),
                  "opt/org.tdshim/kernel: kernel's init_size is smaller than its code or absurd"},
             Case{"init_size beyond memory", header(0x260, le32{512 * MiB}),
                  "opt/org.tdshim/kernel: kernel does not fit into memory"},
             Case{"pref_address wraps", header(0x258, le64{~std::uint64_t{0}}),
                  "opt/org.tdshim/kernel: kernel's preferred address and size wrap around"},
             Case{"pref_address wraps with init_size", header(0x258, le64{0xFFFFFFFFFFE00000}),
                  "opt/org.tdshim/kernel: kernel's preferred address and size wrap around"},
             Case{"pref_address beyond memory", header(0x258, le64{3 * GiB}),
                  "opt/org.tdshim/kernel: kernel does not fit into memory"},
             Case{"not relocatable and its place taken",
                  [](Machine& machine) {
                      set_header(kernel(machine), 0x258, le64{8 * MiB});
                      set_header(kernel(machine), 0x234, std::uint8_t{0});
                  },
                  "opt/org.tdshim/kernel: kernel runs only where the shim itself is (at 0x800000: "
                  "expected 0xc00000, found 0x800000)"},
         })
        check(one);
}

TEST_CASE("an executable for a place that is not memory is refused", "[native]") {
    for (const std::uint64_t base : {1 * GiB, 3 * GiB})
        check({"an executable that is not relocatable",
               [base](Machine& machine) {
                   kernel(machine) = elf_image(base, base);
                   machine.remove_file("opt/org.tdshim/initrd");
                   machine.remove_file("opt/org.tdshim/cmdline");
               },
               "opt/org.tdshim/kernel: no free memory where the executable must be"});
}

TEST_CASE("a bad initrd or command line is refused", "[native]") {
    const auto text = [](std::string_view content) {
        return
            [=](Machine& machine) { machine.file("opt/org.tdshim/cmdline") = text_blob(content); };
    };
    static const std::string too_long(256, 'a');
    static const std::string far_too_long(70'000, 'a');
    for (const Case& one : {
             Case{"command line one too long", text(too_long),
                  "opt/org.tdshim/cmdline: command line is longer than the kernel takes (at 0x0: "
                  "expected 0xff, found 0x100)"},
             Case{"command line absurd", text(far_too_long),
                  "opt/org.tdshim/cmdline: command line is longer than the kernel takes"},
             Case{"NUL inside", text(std::string_view("a\0b", 3)),
                  "opt/org.tdshim/cmdline: command line has a NUL byte inside (at 0x1"},
             Case{"initrd larger than memory below its limit",
                  [](Machine& machine) {
                      set_header(kernel(machine), 0x236, le16{1});
                      set_header(kernel(machine), 0x22C, le32{0x00FFFFFF});
                      machine.file("opt/org.tdshim/initrd").resize(16 * MiB);
                  },
                  "opt/org.tdshim/initrd: initrd does not fit into memory"},
         })
        check(one);
}
