// SPDX-License-Identifier: Apache-2.0
//
// Memory for ACPI tables, and the steps that fill it, one for each place that tables come from.
#pragma once

#include <string_view>

#include "shim/boot/context.hpp"
#include "shim/formats/acpi/tables.hpp"

namespace tdshim::boot {

/// What a machine that brings no working ACPI leads to, and the way out of it.
inline constexpr std::string_view without_acpi =
    ": no event log for the OS (CCEL), no power-off; use a machine with ACPI, such as -machine q35";

struct Placed {
    GpaRange range;
    MutableBytes bytes;
};

/// Memory for ACPI tables, to be reported as such. Errors: as MemoryMap.
[[nodiscard]] Result<Placed> place_acpi(Context& context, std::uint64_t size,
                                        std::uint64_t alignment = page_size);

/// Copies a whole fw_cfg file to such memory and measures it. Errors: fw_cfg_item_missing,
/// fw_cfg_item_size, those of Items and MemoryMap.
[[nodiscard]] Result<Placed> load_file(Context& context, std::string_view name,
                                       std::uint64_t alignment = page_size);

/// Two more than the XSDT lists: DSDT and CCEL.
using TableBytes = StaticVector<Bytes, acpi::max_tables + 2>;

/// Tables in memory: those that the XSDT is to list, and all of them.
struct Tables {
    acpi::TableList listed;
    TableBytes all;

    /// Errors: too_many_entries.
    [[nodiscard]] Result<void> list(Gpa place, Bytes table);
    /// For one that the XSDT does not list. Errors: too_many_entries.
    [[nodiscard]] Result<void> keep(Bytes table);
};

/// Runs the VMM's table-loader script. Errors: those of acpi::Script, acpi::LoadedFiles,
/// acpi::find_tables and MemoryMap.
[[nodiscard]] Result<Tables> load_acpi_files(Context& context);

/// Copies the tables of the TD HOB and links them. Errors: those of acpi::check_hob_table,
/// MemoryMap.
[[nodiscard]] Result<Tables> copy_hob_tables(Context& context);

/// A copy of `madt` with the wakeup mailbox, where this is a TD: its other processors take no
/// INIT-SIPI. Errors: those of acpi::add_wakeup_structure, MemoryMap.
[[nodiscard]] Result<Placed> place_madt(Context& context, Bytes madt);

} // namespace tdshim::boot
