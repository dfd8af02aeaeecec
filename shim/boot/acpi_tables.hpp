// SPDX-License-Identifier: Apache-2.0
//
// The step that brings ACPI tables into memory, the VMM's or the shim's own, and adds the CC event
// log to them.
#pragma once

#include "shim/boot/acpi_place.hpp"

namespace tdshim::boot {

struct AcpiRoot {
    Gpa rsdp;          ///< 0: there are no tables
    TableBytes tables; ///< with the DSDT and the CCEL
};

/// Tables of the shim's own where the image says so; else those of the VMM, every one measured as
/// it arrived: by fw_cfg, or in the TD HOB. A TD that gets no MADT has one made. Errors: those of
/// load_acpi_files, copy_hob_tables and MemoryMap.
[[nodiscard]] Result<AcpiRoot> load_acpi_tables(Context& context);

} // namespace tdshim::boot
