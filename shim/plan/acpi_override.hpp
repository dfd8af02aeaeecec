// SPDX-License-Identifier: Apache-2.0
//
// Ways around an image's AML policy that lead through Linux itself: tables in an initrd
// [Linux Documentation/admin-guide/acpi/initrd_table_override.rst], another RSDP or another initrd
// by the command line [Documentation/admin-guide/kernel-parameters.txt]. They are looked for by
// content, and by more than Linux takes: what reads them differently must not get past.
#pragma once

#include "shim/base/bytes.hpp"

namespace tdshim::plan {

/// Whether `initrd` has, anywhere, a cpio header with a name under kernel/firmware/acpi/.
/// Errors: initrd_acpi_tables, with the offset of the header.
[[nodiscard]] Result<void> check_initrd_brings_no_tables(Bytes initrd);

/// How much of the end of one archive can be the beginning of such a header and name in the next.
inline constexpr std::size_t archive_overlap = 131;

/// Whether `line` has, anywhere, the name of acpi_rsdp=, in which Linux takes a dash for an
/// underscore. Errors: command_line_acpi, with the offset of the name.
[[nodiscard]] Result<void> check_line_names_no_tables(Bytes line);

/// Whether `line` has, anywhere, initrdmem= or initrd= with numbers: then Linux takes for its
/// initrd whatever stands in memory there [init/do_mounts_initrd.c], of which no event says so. No
/// image allows it. Errors: command_line_memory, with the offset of the name.
[[nodiscard]] Result<void> check_line_names_no_memory(Bytes line);

} // namespace tdshim::plan
