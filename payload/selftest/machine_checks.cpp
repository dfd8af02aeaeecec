// SPDX-License-Identifier: Apache-2.0
//
// What the payload HOB list says: memory map, ACPI tables, event log.
#include <algorithm>
#include <array>

#include "payload/runtime/image.hpp"
#include "payload/selftest/checks.hpp"
#include "shim/formats/acpi/wire.hpp"
#include "shim/platform/x86/address_space.hpp"

namespace tdshim::selftest {
namespace {

std::uint8_t sum_of(Bytes table) {
    std::uint8_t sum = 0;
    for (const std::byte byte : table)
        sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
    return sum;
}

/// Whether one entry of that kind holds the whole range.
bool holds(const e820::Table& memory, const GpaRange& range, e820::Type type) {
    return std::ranges::any_of(memory, [&](const e820::Entry& entry) {
        return entry.type == type && entry.range.contains(range);
    });
}

void check_memory_map(Checks& checks, const e820::Table& memory) {
    const auto is_usable = [](const e820::Entry& entry) {
        return entry.type == e820::Type::memory;
    };
    checks.check("E820: there is memory", std::ranges::any_of(memory, is_usable));
    // The shim still has its tables and stacks there [specs/boot-flow.md].
    const auto shim = GpaRange::of<8 * MiB, page_size>();
    checks.check("E820: the shim is reserved", holds(memory, shim, e820::Type::reserved));
    checks.check("E820: the payload is in memory below 4 GiB",
                 runtime::image_range().end() <= Gpa{4 * GiB});
}

void check_tables(Checks& checks, const runtime::HobList& machine) {
    bool are_good = !machine.acpi_tables.empty();
    for (const Bytes table : machine.acpi_tables)
        if (std::string_view(reinterpret_cast<const char*>(table.data()), 4) != "FACS")
            are_good = are_good && sum_of(table) == 0;
    checks.check("ACPI: every table has a good checksum", are_good);
    checks.check("ACPI: there is a table APIC", machine.find_table("APIC").has_value());
    // A service TD gets no tables from the VMM.
    if (machine.acpi_tables.size() > 2)
        checks.check("ACPI: there are tables FACP and DSDT",
                     machine.find_table("FACP").has_value() &&
                         machine.find_table("DSDT").has_value());
    else
        checks.skip("devices", "the VMM gave no tables");
}

/// The log begins with the event that says which algorithms it uses [TCG PC Client Platform
/// Firmware Profile 1.06, 10.4.5.1].
void check_event_log(Checks& checks, const runtime::HobList& machine) {
    const auto table = machine.find_table("CCEL");
    checks.check("ACPI: there is a table CCEL", table.has_value());
    const auto ccel = read_at<acpi::Ccel>(table.value_or(Bytes{}), 0);
    if (!ccel)
        return;
    const auto area = GpaRange::make({ccel->log_address}, ccel->log_length);
    checks.check("event log: its area is NVS memory",
                 area && holds(machine.memory, *area, e820::Type::nvs));
    if (!area || area->size() < page_size)
        return;
    const Bytes log(x86::pointer_to(area->start()), area->size());
    constexpr std::size_t signature_offset = 32; // of the first event's data
    const Bytes signature = bytes_of(std::string_view("Spec ID Event03"));
    checks.check("event log: begins with its header",
                 std::ranges::equal(log.subspan(signature_offset, signature.size()), signature));
}

} // namespace

void check_machine(Checks& checks, const runtime::HobList& machine) {
    runtime::print(Line() << "selftest: " << std::uint64_t{machine.hobs} << " HOBs in "
                          << std::uint64_t{machine.size} << " bytes, payload at "
                          << Hex{runtime::image_range().start().value});
    check_memory_map(checks, machine.memory);
    check_tables(checks, machine);
    check_event_log(checks, machine);
}

} // namespace tdshim::selftest
