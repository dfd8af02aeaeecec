// SPDX-License-Identifier: Apache-2.0
//
// What the image does about AML of the VMM's: code that the payload's kernel executes. Whichever
// way the tables come, each goes through admit(), and a FADT of the VMM's, which leads to the DSDT,
// is a copy with pointers of ours.
#pragma once

#include "shim/boot/acpi_place.hpp"
#include "shim/formats/tdvf/aml_policy.hpp"

namespace tdshim::boot {

[[nodiscard]] tdvf::AmlPolicy aml_policy(const Context& context);

/// Records the policy, unless it is the default. Errors: those of Recorder.
[[nodiscard]] Result<void> record_aml_policy(Context& context);

/// Whether the payload is to get `table`, a checked one of the VMM's; one that is no AML always.
/// `table` is as the payload gets it, and is not written to any more. With the policy `enrolled`
/// its digest is printed. Errors: aml_refused, aml_not_enrolled.
[[nodiscard]] Result<bool> admit(Context& context, Bytes table);

/// Makes `fadt`, a listed copy of the VMM's, point to a FACS of the shim's and to the DSDT at
/// `dsdt`; where none was admitted (0) to one of the shim's own, which is kept in `tables`: Linux
/// takes for one what lies 128 GiB behind its list of tables [drivers/acpi/acpica/tbxfload.c,
/// acpi_tb_load_namespace, with acpi_gbl_dsdt_index still invalid].
/// Errors: acpi_length, those of MemoryMap.
[[nodiscard]] Result<void> link_fadt(Context& context, Tables& tables, MutableBytes fadt, Gpa dsdt);

} // namespace tdshim::boot
