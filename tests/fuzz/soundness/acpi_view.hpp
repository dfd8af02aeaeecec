// SPDX-License-Identifier: Apache-2.0
//
// The ACPI tables that a payload can reach, as Linux walks them: RSDP, XSDT, the tables that it
// lists, and from a FADT to the DSDT and the FACS.
#pragma once

#include "tests/fuzz/soundness/view.hpp"

namespace tdshim::soundness {

/// Adds to `view` what the RSDP at `rsdp` leads to. `options`: of the image.
void see_linux_tables(native::Machine& machine, Gpa rsdp, std::uint32_t options, View& view);

/// Adds the table at the start of `table`, by itself: nothing is followed. Addresses that follow
/// from the memory map are left out, and with them the checksum.
void see_table(Bytes table, std::uint32_t options, View& view);

} // namespace tdshim::soundness
