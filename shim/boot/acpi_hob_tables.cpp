// SPDX-License-Identifier: Apache-2.0
//
// ACPI tables from the TD HOB [td-shim specification 0.7, part II, "ACPI GUID Extension HOB"]: one
// by one, unlinked. The HOB as a whole is measured, unless the image is portable: then each table
// is.
#include <algorithm>
#include <string_view>

#include "shim/boot/aml.hpp"
#include "shim/formats/acpi/wire.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

std::string_view signature_of(Bytes table) {
    return {reinterpret_cast<const char*>(table.data()), 4}; // it was checked, so it has a header
}

/// Moves table `index` of the HOB into memory of its own, where it is measured, unless the HOB as a
/// whole is, and checked.
Result<Placed> take(Context& context, std::size_t index) {
    Foreign& source = context.td_hob.acpi_tables[index];
    const Placed placed =
        TRY(place_acpi(context, std::max(source.size(), sizeof(acpi::TableHeader))));
    source.move_to(placed.bytes);
    // The tables' own sizes decide where they stand: no more is measured.
    const Bytes table = TRY(acpi::check_hob_table(placed.bytes, index));
    std::ranges::fill(placed.bytes.subspan(table.size()), std::byte{0}); // nobody measures it
    if (context.has_option(tdvf::option_portable))
        TRY(context.recorder.record(
            measure::configuration_file(signature_of(table), placed.range.start(), table)));
    return Placed{placed.range, placed.bytes.first(table.size())};
}

} // namespace

Result<Tables> copy_hob_tables(Context& context) {
    context.input = "ACPI tables in the TD HOB";
    Tables tables;
    MutableBytes fadt;
    Gpa dsdt{};
    for (std::size_t i = 0; i < context.td_hob.acpi_tables.size(); ++i) {
        const Placed placed = TRY(take(context, i));
        const Bytes table = placed.bytes;
        if (!TRY(admit(context, table)))
            continue;
        if (acpi::has_signature(table, "APIC")) {
            const Placed madt = TRY(place_madt(context, placed.bytes));
            TRY(tables.list(madt.range.start(), madt.bytes));
        } else if (acpi::has_signature(table, "DSDT")) {
            dsdt = placed.range.start();
            TRY(tables.keep(placed.bytes));
        } else {
            if (acpi::has_signature(table, "FACP")) {
                if (!fadt.empty())
                    return refuse(Fault::acpi_fadt_twice, i);
                fadt = placed.bytes;
            }
            TRY(tables.list(placed.range.start(), placed.bytes));
        }
    }
    if (!fadt.empty())
        TRY(link_fadt(context, tables, fadt, dsdt));
    return tables;
}

} // namespace tdshim::boot
