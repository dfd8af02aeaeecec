// SPDX-License-Identifier: Apache-2.0
//
// The step that brings what Linux is given beside the kernel, the initrd and the command line, into
// memory: from a unified kernel image, from the places where the VMM put them, or by fw_cfg.
#pragma once

#include "shim/boot/context.hpp"
#include "shim/formats/linux/setup_header.hpp"
#include "shim/formats/payload/uki.hpp"

namespace tdshim::boot {

/// Measures the initrd and places it at the highest address that `kernel` allows. `own` is that of
/// a unified kernel image, empty when there is none. Returns where it is, empty: there is none.
/// Errors: initrd_does_not_fit, uki_supplied_twice, hob_initrd_place, those of Items.
[[nodiscard]] Result<GpaRange> load_initrd(Context& context, const linux_boot::Kernel& kernel,
                                           Bytes own);

/// Measures the command line, also an empty one, and returns where it is, with a NUL behind it.
/// Errors: the command_line_ faults, uki_supplied_twice, those of Items.
[[nodiscard]] Result<Gpa> load_command_line(Context& context, const linux_boot::Kernel& kernel,
                                            Bytes own);

} // namespace tdshim::boot
