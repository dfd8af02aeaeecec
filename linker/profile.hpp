// SPDX-License-Identifier: Apache-2.0
//
// Which sections the metadata of an image has, for the VMMs that a profile serves, and the rules of
// those VMMs beyond the specification. Profile "qemu": QEMU from 10.1 on, which knows the types
// BFV, CFV, TD_HOB and TempMem only [QEMU hw/i386/tdvf.c, target/i386/kvm/tdx.c]; Cloud Hypervisor
// reads such an image as well.
#pragma once

#include <cstdint>
#include <vector>

#include "shim/formats/tdvf/metadata.hpp"

namespace tdshim::linker {

/// The sections of an image of `image_size` bytes. A VMM adds them in this order, which is
/// therefore the order of MRTD.
[[nodiscard]] std::vector<tdvf::Section> sections_for_qemu(std::uint64_t image_size);

/// QEMU's own rules (tools/vmm/image_rules.hpp), and that the pointer at end - 0x20, by which other
/// VMMs find the metadata, says the same as the footer table. Errors: those of the first rule that
/// is broken; metadata_pointer.
[[nodiscard]] Result<void> check_profile_qemu(const tdvf::Metadata& metadata,
                                              std::uint64_t image_size);

} // namespace tdshim::linker
