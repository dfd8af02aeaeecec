// SPDX-License-Identifier: Apache-2.0
//
// The step that brings the VMM's ACPI tables into memory and adds the CC event log to them.
#pragma once

#include "shim/boot/context.hpp"

namespace tdshim::boot {

/// Runs the VMM's table-loader script; every file that it loads is measured as it arrived. Returns
/// where the shim's RSDP stands, 0 when the VMM offers no tables.
/// Errors: those of acpi::Script, acpi::LoadedFiles, acpi::find_tables and MemoryMap.
[[nodiscard]] Result<Gpa> load_acpi_tables(Context& context);

} // namespace tdshim::boot
