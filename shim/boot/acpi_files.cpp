// SPDX-License-Identifier: Apache-2.0
//
// ACPI tables by fw_cfg: files that the VMM's table-loader script names and links.
#include <algorithm>

#include "shim/base/line.hpp"
#include "shim/boot/aml.hpp"
#include "shim/formats/acpi/loader.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

/// Tells the VMM where a file was loaded, in a fw_cfg file that the VMM reads (VM generation id).
Result<void> tell_vmm(Context& context, const acpi::Command& command,
                      const acpi::LoadedFiles& files) {
    const auto target = context.items.find(command.file);
    if (!target)
        return refuse(Fault::loader_file_unknown, command.at);
    if (command.offset > target->size || command.pointer_size > target->size - command.offset)
        return refuse(Fault::loader_offset, command.at, target->size, command.offset);
    const le64 value = TRY(files.pointer_value(command));
    return platform::write_fw_cfg(target->selector, command.offset,
                                  bytes_of(value).first(command.pointer_size));
}

Result<void> execute(Context& context, const acpi::Command& command, acpi::LoadedFiles& files) {
    switch (command.kind) {
    case acpi::CommandKind::padding: return {};
    case acpi::CommandKind::allocate: {
        const Placed placed = TRY(load_file(context, command.file, command.alignment));
        context.input = fw_cfg::table_loader;
        return files.add(command, placed.range.start(), placed.bytes);
    }
    case acpi::CommandKind::add_pointer: return files.add_pointer(command);
    case acpi::CommandKind::add_checksum: return files.add_checksum(command);
    case acpi::CommandKind::write_pointer: return tell_vmm(context, command, files);
    }
    return {};
}

/// Runs the script from its first command to its last.
Result<void> execute_all(Context& context, acpi::LoadedFiles& files) {
    const Placed loader = TRY(load_file(context, fw_cfg::table_loader, page_size));
    const acpi::Script script = TRY(acpi::Script::open(loader.bytes));
    for (std::size_t i = 0; i < script.size(); ++i) {
        const acpi::Command command = TRY(script.command(i));
        TRY(execute(context, command, files));
    }
    return {};
}

/// What the VMM's FADT leads to: a DSDT that is admitted, or nothing (0). It may not be what no
/// loaded file holds: the kernel would find it all the same, in memory of which nothing is
/// measured.
Result<Gpa> admitted_dsdt(Context& context, Tables& tables, Bytes fadt,
                          const acpi::LoadedFiles& files) {
    if (aml_policy(context) == tdvf::AmlPolicy::drop)
        return Gpa{};
    const Gpa dsdt = TRY(acpi::dsdt_of(fadt));
    if (dsdt.value == 0)
        return Gpa{};
    const Bytes table = TRY(acpi::table_at(dsdt, files));
    if (!acpi::has_signature(table, "DSDT"))
        return refuse(Fault::acpi_signature, dsdt.value);
    TRY(admit(context, table));
    TRY(tables.keep(table));
    return dsdt;
}

/// The VMM's FADT, which leads to more: a copy, for the original may share its bytes with a table
/// that was admitted.
Result<void> add_fadt(Context& context, Tables& tables, Bytes fadt,
                      const acpi::LoadedFiles& files) {
    const auto is_fadt = [](Bytes table) { return acpi::has_signature(table, "FACP"); };
    if (std::ranges::any_of(tables.all, is_fadt))
        return refuse(Fault::acpi_fadt_twice);
    if (!acpi::has_event_registers(fadt))
        platform::print((Line() << "tdshim: acpi: the VMM's FADT has no event registers,"
                                   " so Linux leaves ACPI off"
                                << without_acpi)
                            .text());
    const Gpa dsdt = TRY(admitted_dsdt(context, tables, fadt, files));
    const Placed copy = TRY(place_acpi(context, fadt.size()));
    std::ranges::copy(fadt, copy.bytes.begin());
    TRY(tables.list(copy.range.start(), copy.bytes));
    return link_fadt(context, tables, copy.bytes, dsdt);
}

/// The table at `address`; a MADT with the wakeup mailbox takes the place of the VMM's.
Result<void> add(Context& context, Tables& tables, Gpa address, const acpi::LoadedFiles& files) {
    const Bytes table = TRY(acpi::table_at(address, files));
    if (acpi::has_signature(table, "APIC") && platform::is_td()) {
        const Placed madt = TRY(place_madt(context, table));
        return tables.list(madt.range.start(), madt.bytes);
    }
    if (acpi::has_signature(table, "FACP"))
        return add_fadt(context, tables, table, files);
    return TRY(admit(context, table)) ? tables.list(address, table) : Result<void>{};
}

} // namespace

Result<Placed> load_file(Context& context, std::string_view name, std::uint64_t alignment) {
    context.input = name;
    const auto file = context.items.find(name);
    if (!file)
        return refuse(Fault::fw_cfg_item_missing);
    if (file->size == 0 || file->size > acpi::max_file_size)
        return refuse(Fault::fw_cfg_item_size, 0, acpi::max_file_size, file->size);
    const Placed placed = TRY(place_acpi(context, file->size, alignment));
    TRY(context.items.read(file->selector, placed.bytes));
    TRY(context.recorder.record(
        measure::configuration_file(name, placed.range.start(), placed.bytes)));
    return placed;
}

Result<Tables> load_acpi_files(Context& context) {
    acpi::LoadedFiles files;
    TRY(execute_all(context, files));
    context.input = fw_cfg::acpi_rsdp;
    const acpi::LoadedFile* const rsdp = files.find(fw_cfg::acpi_rsdp);
    if (rsdp == nullptr)
        return refuse(Fault::acpi_no_rsdp);
    const acpi::TableList listed = TRY(acpi::find_tables(rsdp->content, files));
    if (platform::is_td() && acpi::index_of(listed, "APIC", files) == listed.size())
        return refuse(Fault::acpi_no_madt);
    Tables tables;
    for (const Gpa address : listed)
        TRY(add(context, tables, address, files));
    return tables;
}

} // namespace tdshim::boot
