// SPDX-License-Identifier: Apache-2.0
//
// The step that brings a Linux kernel with its initrd and command line into memory.
#pragma once

#include "shim/boot/context.hpp"
#include "shim/formats/linux/boot_params.hpp"
#include "shim/formats/linux/setup_header.hpp"

namespace tdshim::boot {

struct LinuxPayload {
    linux_boot::Kernel kernel;
    GpaRange kernel_memory; ///< load address and init_size
    GpaRange initrd;        ///< empty: none
    Gpa command_line;
};

/// Copies, measures, checks and places kernel, initrd and command line, in this order.
/// Errors: the kernel_, command_line_ and initrd_ faults, and those of the layers below.
[[nodiscard]] Result<LinuxPayload> load_linux(Context& context);

/// Writes boot_params for `payload`. Returns where they stand. Errors: as MemoryMap.
[[nodiscard]] Result<Gpa> write_boot_params(Context& context, const LinuxPayload& payload,
                                            Gpa rsdp);

} // namespace tdshim::boot
