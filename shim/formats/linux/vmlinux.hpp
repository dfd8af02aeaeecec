// SPDX-License-Identifier: Apache-2.0
//
// Linux as the ELF file vmlinux: what a bzImage unpacks. It is loaded at its physical addresses and
// entered there in 64-bit mode with boot_params as a bzImage is [Linux
// arch/x86/kernel/vmlinux.lds.S, arch/x86/kernel/head_64.S].
#pragma once

#include "shim/formats/elf/elf.hpp"
#include "shim/formats/linux/setup_header.hpp"

namespace tdshim::linux_boot {

struct Vmlinux {
    Kernel kernel;   ///< with a setup header of the shim's own
    GpaRange memory; ///< from the lowest to the highest byte that is loaded
    Gpa entry;
    elf::SegmentList segments; ///< loaded at segment.physical
};

/// Whether `file` is linked for the kernel's half of the virtual addresses.
[[nodiscard]] bool is_vmlinux(const elf::File& file);

/// Checks `file`: each segment between 1 MiB and 4 GiB of physical memory, no two in one place, the
/// entry point in one that holds code. Errors: those of elf::parse, vmlinux_address, elf_entry;
/// `at` is an offset in `file`.
[[nodiscard]] Result<Vmlinux> parse_vmlinux(Bytes file);

/// A kernel that the VMM loaded already into `memory`, whole pages, and its entry point. Errors:
/// vmlinux_address.
[[nodiscard]] Result<Vmlinux> raw_vmlinux(const GpaRange& memory, Gpa entry);

} // namespace tdshim::linux_boot
