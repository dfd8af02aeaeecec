// SPDX-License-Identifier: Apache-2.0
//
// ACPI tables of the shim's own for QEMU's machine q35, in place of the VMM's: they depend on the
// number of processors alone, and hold no code but the description of a PCI bus [ACPI 6.5, 5.2].
#pragma once

#include <cstdint>

#include "shim/formats/acpi/tables.hpp"

namespace tdshim::acpi {

/// More than this is refused as absurd.
inline constexpr std::uint32_t max_processors = 4096;

/// Bytes that write_madt() needs.
[[nodiscard]] std::size_t madt_size(std::uint32_t processors);

/// Writes into `table`, madt_size() bytes, a MADT whose APIC IDs are the numbers of the processors.
void write_madt(MutableBytes table, std::uint32_t processors);

/// Bytes that write_dsdt() needs.
[[nodiscard]] std::size_t own_dsdt_size();

/// Writes into `table`, own_dsdt_size() bytes, the DSDT of these tables alone: for a VMM's other
/// tables.
void write_dsdt(MutableBytes table);

/// Bytes that write_static_tables() needs.
[[nodiscard]] std::size_t static_tables_size(std::uint32_t processors);

/// Where write_static_tables() put what.
struct StaticTables {
    TableList listed; ///< for the XSDT: FADT, MCFG
    Bytes madt;       ///< apart, for it may get a wakeup structure
    Gpa dsdt;         ///< to which the FADT points
};

/// Writes FACS, DSDT, FADT, MCFG and MADT into `area`, which stands at `place`, on a page. APIC IDs
/// are the numbers of the processors. Errors: too_many_entries; acpi_length when `area` is too
/// small.
[[nodiscard]] Result<StaticTables> write_static_tables(MutableBytes area, Gpa place,
                                                       std::uint32_t processors);

} // namespace tdshim::acpi
