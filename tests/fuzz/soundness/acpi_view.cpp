// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/soundness/acpi_view.hpp"

#include <algorithm>

#include "shim/formats/acpi/static_tables.hpp"
#include "shim/formats/tdvf/wire.hpp"
#include "shim/memory/layout.hpp"
#include "tests/native/inputs.hpp"

namespace tdshim::soundness {
namespace {

constexpr std::uint64_t longest_table = 1 * MiB;

/// The memory at `address` as far as there is any.
Bytes memory_at(native::Machine& machine, std::uint64_t address, std::uint64_t size) {
    if (address >= native::address_space)
        return {};
    return machine.memory({address}, std::min(size, native::address_space - address));
}

/// As long as its header says, or as there is memory; empty where no header fits.
Bytes table_of(Bytes memory) {
    const auto header = read_at<acpi::TableHeader>(memory, 0);
    return header ? memory.first(
                        std::clamp<std::size_t>(header->length, sizeof(*header), memory.size()))
                  : Bytes{};
}

Bytes table_at(native::Machine& machine, std::uint64_t address) {
    return table_of(memory_at(machine, address, longest_table));
}

/// A field that the end of a table may cut: Linux takes the bytes that are there and zeros.
std::uint64_t field(Bytes table, std::size_t offset, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size && offset + i < table.size(); ++i)
        value |= std::to_integer<std::uint64_t>(table[offset + i]) << (8 * i);
    return value;
}

/// The 64-bit address where there is one [Linux drivers/acpi/acpica/tbfadt.c,
/// acpi_tb_select_address; tbutils.c, acpi_tb_initialize_facs].
std::uint64_t pointer(Bytes fadt, std::size_t offset, std::size_t extended) {
    const std::uint64_t wide = field(fadt, extended, sizeof(le64));
    return wide != 0 ? wide : field(fadt, offset, sizeof(le32));
}

void clear(Blob& table, std::size_t offset, std::size_t size) {
    for (std::size_t i = offset; i < std::min(offset + size, table.size()); ++i)
        table[i] = std::byte{0};
}

/// Whether `table` is what the shim makes for some number of processors. That number the module
/// tells, and no register of the firmware's: the one documented exception (specs/threat-model.md,
/// "ACPI").
bool is_own_madt(Bytes table) {
    const std::size_t wakeup = acpi::wakeup_structure_size;
    for (std::uint32_t count = 1; acpi::madt_size(count) <= table.size(); ++count) {
        Blob own(acpi::madt_size(count));
        acpi::write_madt(own, count);
        Blob with_wakeup(own.size() + wakeup);
        const bool is_made =
            acpi::add_wakeup_structure(
                own, {.mailbox = layout::mailbox.start(), .reset_vector = layout::wakeup_reset},
                with_wakeup)
                .has_value();
        if (std::ranges::equal(table, own) || (is_made && std::ranges::equal(table, with_wakeup)))
            return true;
    }
    return false;
}

/// An image with static tables takes none of the VMM's; a TD HOB need not have a MADT.
bool makes_madt(const Launch& launch) {
    return (launch.options & tdvf::option_static_acpi) != 0 || launch.is_placed;
}

/// Without what follows from where things stand.
Blob content_of(Bytes table) {
    Blob content(table.begin(), table.end());
    clear(content, offsetof(acpi::TableHeader, checksum), 1);
    if (acpi::has_signature(table, "FACP")) {
        clear(content, offsetof(acpi::Fadt, facs), 2 * sizeof(le32)); // and the DSDT's
        clear(content, acpi::fadt_extended_facs, 2 * sizeof(le64));
    }
    if (acpi::has_signature(table, "CCEL")) // the log is what the registers are compared by
        clear(content, offsetof(acpi::Ccel, log_length), 2 * sizeof(le64));
    return content;
}

std::string name_of(Bytes table) {
    std::string name = "table ";
    for (const std::byte character : table.first(sizeof(acpi::TableHeader::signature)))
        name += static_cast<char>(character);
    return name;
}

/// AML may name addresses. Where a portable image puts the VMM's tables follows from what it
/// measures of them (specs/threat-model.md, "Where tables stand").
void see_place(std::uint64_t address, Bytes table, const Launch& launch, View& view) {
    const bool is_portable = (launch.options & tdvf::option_portable) != 0;
    const bool is_own = (launch.options & tdvf::option_static_acpi) != 0 ||
                        (makes_madt(launch) && acpi::has_signature(table, "APIC"));
    if (is_portable && !is_own && !acpi::has_signature(table, "CCEL"))
        view.push_back({"address of " + name_of(table), native::wire_blob(le64{address})});
}

/// A DSDT of another signature Linux does not load.
void see_dsdt(native::Machine& machine, Bytes fadt, const Launch& launch, View& view) {
    const std::uint64_t at = pointer(fadt, offsetof(acpi::Fadt, dsdt), acpi::fadt_extended_dsdt);
    const Bytes dsdt = at == 0 ? Bytes{} : table_at(machine, at);
    if (acpi::has_signature(dsdt, "DSDT"))
        see_table(dsdt, launch, view);
    else
        view.push_back({"no DSDT", {}});
}

void see_facs(native::Machine& machine, Bytes fadt, View& view) {
    const std::uint64_t at = pointer(fadt, offsetof(acpi::Fadt, facs), acpi::fadt_extended_facs);
    const Bytes facs = at == 0 ? Bytes{} : memory_at(machine, at, sizeof(acpi::Facs));
    const auto header = read_at<acpi::Facs>(facs, 0);
    if (header && std::string_view(header->signature) == "FACS")
        view.push_back({"FACS", Blob(facs.begin(), facs.end())});
    else
        view.push_back({"no FACS", {}});
}

} // namespace

void see_table(Bytes memory, const Launch& launch, View& view) {
    const Bytes table = table_of(memory);
    if (makes_madt(launch) && acpi::has_signature(table, "APIC") && is_own_madt(table))
        view.push_back({"MADT of the shim's own", {}});
    else
        view.push_back({name_of(table), content_of(table)});
    if (const Bytes behind = memory.subspan(table.size()); !behind.empty())
        view.push_back({"bytes behind a table", Blob(behind.begin(), behind.end())});
}

void see_linux_tables(native::Machine& machine, Gpa rsdp, const Launch& launch, View& view) {
    const auto root = read_at<acpi::Rsdp>(memory_at(machine, rsdp.value, sizeof(acpi::Rsdp)), 0);
    if (rsdp.value == 0 || !root) {
        view.push_back({"no ACPI", {}});
        return;
    }
    const Bytes xsdt = table_at(machine, root->xsdt);
    for (std::size_t at = sizeof(acpi::TableHeader); at + sizeof(le64) <= xsdt.size();
         at += sizeof(le64)) {
        const Bytes table = table_at(machine, field(xsdt, at, sizeof(le64)));
        if (table.empty()) {
            view.push_back({"a table without memory", {}});
            continue;
        }
        see_table(table, launch, view);
        see_place(field(xsdt, at, sizeof(le64)), table, launch, view);
        if (!acpi::has_signature(table, "FACP"))
            continue;
        see_dsdt(machine, table, launch, view);
        see_facs(machine, table, view);
    }
}

} // namespace tdshim::soundness
