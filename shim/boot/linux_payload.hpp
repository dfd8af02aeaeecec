// SPDX-License-Identifier: Apache-2.0
//
// The steps that bring a Linux kernel with its initrd and command line into memory and start it.
#pragma once

#include <optional>

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

/// What Linux is handed besides its files.
struct LinuxHandover {
    Gpa boot_params;
    std::optional<GpaRange> console; ///< for what was printed
};

/// Writes boot_params for `payload`, and EFI's tables where Linux is to accept memory or to find
/// SMBIOS.
/// Errors: as MemoryMap; too_many_entries.
[[nodiscard]] Result<LinuxHandover> write_handover(Context& context, const LinuxPayload& payload,
                                                   Gpa rsdp);

/// Puts all that was printed where Linux shows it, if it is told of a place.
/// Errors: as platform::memory().
[[nodiscard]] Result<void> hand_on_console(const LinuxHandover& handover);

} // namespace tdshim::boot
