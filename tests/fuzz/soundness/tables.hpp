// SPDX-License-Identifier: Apache-2.0
//
// The ACPI tables that a launch's VMM brings: as blobs for a TD HOB, or as the files of fw_cfg with
// the script that links them.
#pragma once

#include "shim/memory/layout.hpp"
#include "tests/fuzz/soundness/choices.hpp"

namespace tdshim::soundness {

/// Where a VMM may leave bytes that nobody asks for: behind what is used of the memory that it
/// adds.
inline constexpr Gpa behind_hob{layout::td_hob.start().value + 64 * KiB};
inline constexpr Gpa behind_parameter{layout::payload_param.start().value + 2 * KiB};

/// A DSDT, each `variant` with other content.
[[nodiscard]] Blob dsdt(unsigned char variant);

/// In the order of the choices.
[[nodiscard]] std::vector<Blob> tables_of(const Plan& plan);

struct AcpiFiles {
    Blob tables;
    Blob rsdp;
    Blob script;
};

/// etc/acpi/tables, etc/acpi/rsdp and etc/table-loader for these tables: an RSDT lists all but the
/// DSDTs, and the FADTs lead to the first of these, or to where the choice says.
[[nodiscard]] AcpiFiles acpi_files(const Plan& plan, const std::vector<Blob>& tables);

} // namespace tdshim::soundness
