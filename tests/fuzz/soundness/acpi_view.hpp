// SPDX-License-Identifier: Apache-2.0
//
// The ACPI tables that a payload can reach, as Linux walks them: RSDP, XSDT, the tables that it
// lists, and from a FADT to the DSDT and the FACS.
#pragma once

#include "tests/fuzz/soundness/view.hpp"

namespace tdshim::soundness {

/// Adds to `view` what the RSDP at `rsdp` leads to.
void see_linux_tables(native::Machine& machine, Gpa rsdp, const Launch& launch, View& view);

/// Adds the table at the start of `memory`, by itself, and what is behind its end: nothing is
/// followed. Addresses that follow from the memory map are left out, and with them the checksum.
void see_table(Bytes memory, const Launch& launch, View& view);

} // namespace tdshim::soundness
