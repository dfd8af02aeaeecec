// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/acpi_tables.hpp"

#include <algorithm>

#include "shim/base/line.hpp"
#include "shim/formats/acpi/loader.hpp"
#include "shim/formats/acpi/static_tables.hpp"
#include "shim/formats/acpi/tables.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

/// Every pointer in ACPI 1.0's structures has 32 bits.
constexpr auto acpi_window = GpaRange::of<1 * MiB, 4 * GiB - 1 * MiB>();
constexpr std::uint64_t max_file_size = 16 * MiB;

struct Placed {
    GpaRange range;
    MutableBytes bytes;
};

/// Memory for ACPI tables, to be reported as such. Errors: as MemoryMap.
Result<Placed> place(Context& context, std::uint64_t size, std::uint64_t alignment) {
    const GpaRange range = TRY(context.memory.allocate(
        {.size = size, .alignment = std::max(alignment, page_size), .within = acpi_window}));
    TRY(context.memory.retype(range, e820::Type::acpi));
    const MutableBytes bytes = TRY(platform::memory(range));
    return Placed{range, bytes.first(size)};
}

/// Copies a whole fw_cfg file to a place of its own and measures it.
Result<Placed> load(Context& context, std::string_view name, std::uint64_t alignment) {
    context.input = name;
    const auto file = context.items.find(name);
    if (!file)
        return refuse(Fault::fw_cfg_item_missing);
    if (file->size == 0 || file->size > max_file_size)
        return refuse(Fault::fw_cfg_item_size, 0, max_file_size, file->size);
    const Placed placed = TRY(place(context, file->size, alignment));
    TRY(context.items.read(file->selector, placed.bytes));
    TRY(context.recorder.record(
        measure::configuration_file(name, placed.range.start(), measure::digest_of(placed.bytes))));
    return placed;
}

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
        const Placed placed = TRY(load(context, command.file, command.alignment));
        context.input = fw_cfg::table_loader;
        return files.add(command, placed.range.start(), placed.bytes);
    }
    case acpi::CommandKind::add_pointer: return files.add_pointer(command);
    case acpi::CommandKind::add_checksum: return files.add_checksum(command);
    case acpi::CommandKind::write_pointer: return tell_vmm(context, command, files);
    }
    return {};
}

/// Puts a MADT with the wakeup mailbox in the place of the VMM's: a TD's other processors take no
/// INIT-SIPI.
Result<void> add_mailbox(Context& context, acpi::TableList& tables,
                         const acpi::LoadedFiles& files) {
    const std::size_t index = acpi::index_of(tables, "APIC", files);
    if (index == tables.size())
        return refuse(Fault::acpi_no_madt);
    const Bytes madt = TRY(acpi::table_at(tables[index], files));
    const Placed placed = TRY(place(context, madt.size() + acpi::wakeup_structure_size, page_size));
    TRY(acpi::add_wakeup_structure(madt, layout::mailbox.start(), placed.bytes));
    tables[index] = placed.range.start();
    return {};
}

} // namespace

namespace {

/// The module says how many processors a TD has, QEMU how many a plain VM.
Result<std::uint32_t> processors(Context& context) {
    if (platform::is_td())
        return platform::processors();
    return context.items.number(fw_cfg::processors);
}

/// RSDP, XSDT and CCEL that lead to `tables`.
Result<Gpa> write_root(Context& context, const acpi::TableList& tables) {
    const Placed root = TRY(place(context, acpi::root_size, page_size));
    platform::print(
        (Line() << "tdshim: acpi: " << std::uint64_t{tables.size()} << " tables").text());
    return acpi::write_root(root.bytes, root.range.start(), tables, layout::event_log);
}

Result<Gpa> make_own_tables(Context& context) {
    context.input = "static ACPI tables";
    const std::uint32_t count = TRY(processors(context));
    if (count == 0 || count > acpi::max_processors)
        return refuse(Fault::too_many_entries, 0, acpi::max_processors, count);
    const Placed own = TRY(place(context, acpi::static_tables_size(count), page_size));
    acpi::StaticTables tables = TRY(acpi::write_static_tables(own.bytes, own.range.start(), count));
    const Placed madt =
        TRY(place(context, tables.madt.size() + acpi::wakeup_structure_size, page_size));
    if (platform::is_td())
        TRY(acpi::add_wakeup_structure(tables.madt, layout::mailbox.start(), madt.bytes));
    else
        std::ranges::copy(tables.madt, madt.bytes.begin());
    if (!tables.listed.push(madt.range.start()))
        return refuse(Fault::too_many_entries, 0, acpi::max_tables, acpi::max_tables + 1);
    return write_root(context, tables.listed);
}

} // namespace

Result<Gpa> load_acpi_tables(Context& context) {
    if (context.has_option(tdvf::option_static_acpi))
        return make_own_tables(context);
    if (!context.items.find(fw_cfg::table_loader)) {
        platform::print("tdshim: acpi: the VMM offers no tables");
        return Gpa{};
    }
    const Placed loader = TRY(load(context, fw_cfg::table_loader, page_size));
    const acpi::Script script = TRY(acpi::Script::open(loader.bytes));
    acpi::LoadedFiles files;
    for (std::size_t i = 0; i < script.size(); ++i) {
        const acpi::Command command = TRY(script.command(i));
        TRY(execute(context, command, files));
    }

    context.input = fw_cfg::acpi_rsdp;
    const acpi::LoadedFile* const rsdp = files.find(fw_cfg::acpi_rsdp);
    if (rsdp == nullptr)
        return refuse(Fault::acpi_no_rsdp);
    acpi::TableList tables = TRY(acpi::find_tables(rsdp->content, files));
    if (platform::is_td())
        TRY(add_mailbox(context, tables, files));
    return write_root(context, tables);
}

} // namespace tdshim::boot
