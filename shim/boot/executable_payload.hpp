// SPDX-License-Identifier: Apache-2.0
//
// The steps that load an ELF or PE executable and hand it the payload HOB [td-shim specification
// 0.7, part III, "Boot Protocol"].
#pragma once

#include "shim/boot/acpi_tables.hpp"
#include "shim/boot/payload_file.hpp"
#include "shim/formats/executable/program.hpp"

namespace tdshim::boot {

struct ExecutablePayload {
    executable::Program program;
    GpaRange memory; ///< where it is loaded
    Gpa hob;         ///< of the payload HOB list
};

/// Measures, checks and loads `file`, and writes the payload HOB list: PHIT, the E820 table with
/// unaccepted memory as its own type, and every ACPI table. Errors: those of executable::parse_elf,
/// parse_pe and load, executable_does_not_fit, hob_list_full, those of MemoryMap.
[[nodiscard]] Result<ExecutablePayload> load_executable(Context& context, const PayloadFile& file,
                                                        const AcpiRoot& acpi);

/// Gives every part of the program its permissions, the rest of accepted memory below 4 GiB to it
/// as data, and starts it. Errors: page_tables_full.
[[nodiscard]] Result<void> start_executable(const Context& context,
                                            const ExecutablePayload& payload);

} // namespace tdshim::boot
