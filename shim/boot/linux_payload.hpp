// SPDX-License-Identifier: Apache-2.0
//
// The steps that bring a Linux kernel with its initrd and command line into memory and start it.
#pragma once

#include "shim/boot/payload_file.hpp"
#include "shim/formats/linux/boot_params.hpp"

namespace tdshim::boot {

struct LinuxPayload {
    linux_boot::Kernel kernel;
    GpaRange kernel_memory; ///< load address and init_size
    Gpa entry;
    GpaRange initrd; ///< empty: none
    Gpa command_line;
};

/// Measures, checks and places kernel, initrd and command line, in this order. `file` is a bzImage,
/// a vmlinux, a raw one, a unified kernel image that holds a bzImage, or a bundle, whose events are
/// measured last.
/// Errors: the kernel_, vmlinux_, uki_, bundle_, events_, command_line_ and initrd_ faults, and
/// those of the layers below.
[[nodiscard]] Result<LinuxPayload> load_linux(Context& context, const PayloadFile& file);

/// Writes boot_params for `payload`. Returns where they stand. Errors: as MemoryMap.
[[nodiscard]] Result<Gpa> write_boot_params(Context& context, const LinuxPayload& payload,
                                            Gpa rsdp);

} // namespace tdshim::boot
