// SPDX-License-Identifier: Apache-2.0
//
// The root of the ACPI tables: which tables the VMM's RSDP leads to, and the shim's own RSDP and
// XSDT that lead to those and to the CC event log [ACPI 6.5, 5.2.5 to 5.2.8].
#pragma once

#include <cstddef>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/acpi/loader.hpp"

namespace tdshim::acpi {

inline constexpr std::size_t max_tables = 64;
using TableList = StaticVector<Gpa, max_tables>;

/// The tables that `rsdp`, the content of the VMM's RSDP file, leads to; each lies wholly inside a
/// loaded file and has a good checksum, and none is an event log.
/// Errors: acpi_no_rsdp, acpi_signature, acpi_length, acpi_checksum, acpi_address, acpi_event_log,
/// too_many_entries; `at` is a guest physical address but in the RSDP, where it is an offset.
[[nodiscard]] Result<TableList> find_tables(Bytes rsdp, const LoadedFiles& files);

/// The whole table at `address`, inside a loaded file and with a good checksum.
/// Errors: acpi_address, acpi_length, acpi_checksum.
[[nodiscard]] Result<Bytes> table_at(Gpa address, const LoadedFiles& files);

/// Where in `tables` the one with `signature` is; their number when there is none.
[[nodiscard]] std::size_t index_of(const TableList& tables, std::string_view signature,
                                   const LoadedFiles& files);

/// The table at the start of `bytes`, which may be longer, with a good checksum; `at` is where that
/// stands. Errors: acpi_address, acpi_length, acpi_checksum, acpi_event_log for a CCEL, of which
/// there must be none but the shim's.
[[nodiscard]] Result<Bytes> check_table(Bytes bytes, std::uint64_t at);

/// The table that is `data`, all that HOB number `index` of a list has: nothing but the list's
/// alignment to 8 bytes is behind it, which is not measured. Errors: those of check_table.
[[nodiscard]] Result<Bytes> check_hob_table(Bytes data, std::uint64_t index);

/// Whether `table`, a checked one, is of this kind.
[[nodiscard]] bool has_signature(Bytes table, std::string_view signature);

/// Whether `table` is of the kinds whose content Linux executes as AML [ACPI 6.5, 5.2.11; Linux
/// drivers/acpi/acpica/tbxfload.c]: DSDT, SSDT and, obsolete and executed all the same, PSDT and
/// OSDT.
[[nodiscard]] bool is_aml(Bytes table);

/// The address of the DSDT that `fadt` points to; 0: none. Errors: truncated.
[[nodiscard]] Result<Gpa> dsdt_of(Bytes fadt);

/// Whether an operating system can run ACPI by `fadt`: with event registers, or on hardware that
/// does without them [ACPI 6.5, 5.2.9]. QEMU's pc has them where its firmware put them, else
/// at 0, and Linux leaves ACPI off then.
[[nodiscard]] bool has_event_registers(Bytes fadt);

/// Makes `fadt` point to the DSDT at `dsdt` and the FACS at `facs`, 0: to none, and to no other:
/// also what is left of a field that the table's end cuts is zero. Both lie below 4 GiB.
/// Errors: acpi_length.
[[nodiscard]] Result<void> link_fadt(MutableBytes fadt, Gpa dsdt, Gpa facs);

/// Writes an empty FACS at the start of `area`, sizeof(Facs) bytes.
void write_facs(MutableBytes area);

/// The header of a table of the shim's own; its checksum is set last.
[[nodiscard]] TableHeader own_header(std::array<char, 4> signature, std::size_t length,
                                     std::uint8_t revision = 1);
void set_checksum(MutableBytes table);

/// Bytes that add_wakeup_structure() adds.
inline constexpr std::size_t wakeup_structure_size = 24;

/// Where the processors wait that the operating system did not start, or sent back.
struct Wakeup {
    Gpa mailbox;
    Gpa reset_vector;
};

/// Writes at the start of `area` the MADT `madt` with one structure more: the multiprocessor wakeup
/// structure, version 1 [ACPI 6.6, 5.2.12.19]. `area` has room for both.
/// Errors: acpi_length for a structure that does not fit its table; acpi_mailbox when the VMM
/// offers a mailbox of its own.
[[nodiscard]] Result<void> add_wakeup_structure(Bytes madt, const Wakeup& wakeup,
                                                MutableBytes area);

/// Bytes of the root from its start on, among them the CCEL.
inline constexpr std::size_t ccel_offset = 40;

/// Bytes that write_root needs at most.
inline constexpr std::size_t root_size = 4096;

/// Writes RSDP, XSDT and CCEL at the start of `area`, which stands at `place`; the XSDT lists
/// `tables` and the CCEL, which points to `event_log`. Returns where the RSDP stands.
[[nodiscard]] Gpa write_root(MutableBytes area, Gpa place, const TableList& tables,
                             const GpaRange& event_log);

} // namespace tdshim::acpi
