// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/acpi_tables.hpp"

#include <algorithm>

#include "shim/base/line.hpp"
#include "shim/boot/aml.hpp"
#include "shim/boot/memory_map.hpp"
#include "shim/formats/acpi/static_tables.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

using Order = memory::Request::Order;

/// Every pointer in ACPI 1.0's structures has 32 bits.
constexpr auto acpi_window = GpaRange::of<1 * MiB, 4 * GiB - 1 * MiB>();
/// Of a portable image, whose memory map nobody measures. Addresses end up in the tables, wherever
/// the VMM's script has them put: all of this is memory, so that they follow from sizes alone.
constexpr auto portable_window = GpaRange::between({1 * MiB}, layout::shim_code.start());

/// From the bottom where a table is compared with one that is enrolled, for its addresses are not
/// to follow from how much memory there is; else out of the way of a kernel that runs there alone.
Order order_of(Context& context) {
    const bool is_compared = context.has_option(tdvf::option_portable) ||
                             aml_policy(context) == tdvf::AmlPolicy::enrolled;
    return is_compared ? Order::lowest_first : Order::highest_first;
}

constexpr acpi::Wakeup own_wakeup{.mailbox = layout::mailbox.start(),
                                  .reset_vector = layout::wakeup_reset};

/// The module says how many processors a TD has, QEMU how many a plain VM.
Result<std::uint32_t> processors(Context& context) {
    const std::uint32_t count =
        platform::is_td() ? platform::processors() : TRY(context.items.number(fw_cfg::processors));
    if (count == 0 || count > acpi::max_processors)
        return refuse(Fault::too_many_entries, 0, acpi::max_processors, count);
    return count;
}

/// RSDP, XSDT and CCEL that lead to `tables`.
Result<AcpiRoot> write_root(Context& context, Tables tables) {
    const Placed root = TRY(place_acpi(context, acpi::root_size));
    platform::print(
        (Line() << "tdshim: acpi: " << std::uint64_t{tables.listed.size()} << " tables").text());
    const Gpa rsdp =
        acpi::write_root(root.bytes, root.range.start(), tables.listed, layout::event_log);
    TRY(tables.keep(Bytes(root.bytes).subspan(acpi::ccel_offset, sizeof(acpi::Ccel))));
    return AcpiRoot{.rsdp = rsdp, .tables = tables.all};
}

Result<Tables> make_own_tables(Context& context) {
    context.input = "static ACPI tables";
    const std::uint32_t count = TRY(processors(context));
    const Placed own = TRY(place_acpi(context, acpi::static_tables_size(count)));
    const Gpa start = own.range.start();
    const acpi::StaticTables written = TRY(acpi::write_static_tables(own.bytes, start, count));
    Tables tables;
    const auto table_from = [&](Gpa address) {
        return acpi::check_table(Bytes(own.bytes).subspan(address.value - start.value),
                                 address.value);
    };
    for (const Gpa address : written.listed) {
        const Bytes table = TRY(table_from(address));
        TRY(tables.list(address, table));
    }
    const Bytes dsdt = TRY(table_from(written.dsdt));
    TRY(tables.keep(dsdt));
    const Placed madt = TRY(place_madt(context, written.madt));
    TRY(tables.list(madt.range.start(), madt.bytes));
    return tables;
}

/// Without a MADT the payload would know of no other processor.
Result<void> add_own_madt(Context& context, Tables& tables) {
    context.input = "MADT";
    const std::uint32_t count = TRY(processors(context));
    const Placed own = TRY(place_acpi(context, acpi::madt_size(count)));
    acpi::write_madt(own.bytes, count);
    const Placed madt = TRY(place_madt(context, own.bytes));
    return tables.list(madt.range.start(), madt.bytes);
}

} // namespace

Result<Placed> place_acpi(Context& context, std::uint64_t size, std::uint64_t alignment) {
    const bool is_portable = context.has_option(tdvf::option_portable);
    const GpaRange range =
        TRY(allocate(context, {.size = size,
                               .alignment = std::max(alignment, page_size),
                               .within = is_portable ? portable_window : acpi_window,
                               .order = order_of(context)}));
    TRY(context.memory.retype(range, e820::Type::acpi));
    const MutableBytes bytes = TRY(platform::memory(range));
    return Placed{range, bytes.first(size)};
}

Result<void> Tables::list(Gpa place, Bytes table) {
    if (!listed.push(place))
        return refuse(Fault::too_many_entries, place.value, acpi::max_tables, acpi::max_tables + 1);
    return keep(table);
}

Result<void> Tables::keep(Bytes table) {
    if (!all.push(table))
        return refuse(Fault::too_many_entries, 0, all.capacity(), all.capacity() + 1);
    return {};
}

Result<Placed> place_madt(Context& context, Bytes madt) {
    const std::uint64_t more = platform::is_td() ? acpi::wakeup_structure_size : 0;
    const Placed placed = TRY(place_acpi(context, madt.size() + more));
    if (platform::is_td())
        TRY(acpi::add_wakeup_structure(madt, own_wakeup, placed.bytes));
    else
        std::ranges::copy(madt, placed.bytes.begin());
    return placed;
}

Result<AcpiRoot> load_acpi_tables(Context& context) {
    Tables tables;
    if (context.has_option(tdvf::option_portable) && !context.memory.is_usable(portable_window))
        return refuse(Fault::e820_no_memory, portable_window.start().value, portable_window.size(),
                      0);
    if (context.has_option(tdvf::option_static_acpi)) {
        tables = TRY(make_own_tables(context));
    } else if (!context.uses_fw_cfg()) {
        tables = TRY(copy_hob_tables(context));
        const auto is_madt = [](Bytes table) { return acpi::has_signature(table, "APIC"); };
        if (std::ranges::none_of(tables.all, is_madt))
            TRY(add_own_madt(context, tables));
    } else if (context.items.find(fw_cfg::table_loader)) {
        tables = TRY(load_acpi_files(context));
    } else {
        platform::print(
            (Line() << "tdshim: acpi: the VMM offers no tables" << without_acpi).text());
        return AcpiRoot{};
    }
    const auto is_fadt = [](Bytes table) { return acpi::has_signature(table, "FACP"); };
    if (std::ranges::none_of(tables.all, is_fadt))
        platform::print(
            "tdshim: acpi: there is no FADT, so Linux leaves ACPI off: no event log for "
            "the OS (CCEL), no power-off; shim-ld --acpi static brings tables");
    return write_root(context, tables);
}

} // namespace tdshim::boot
