// SPDX-License-Identifier: Apache-2.0
//
// Which sections the metadata of an image has, for the VMMs that a profile serves, and the rules of
// those VMMs beyond the specification.
//
// qemu: QEMU from 10.1 on, which knows the types BFV, CFV, TD_HOB and TempMem only [QEMU
// hw/i386/tdvf.c, target/i386/kvm/tdx.c]; the payload is in the image or comes by fw_cfg.
// tdvf_payload: VMMs that put kernel and command line into Payload and PayloadParam sections, as
// Cloud Hypervisor and libkrun do. service_td: PermMem in place of a TD HOB, an embedded payload,
// nothing from the VMM: every register is known when the image is linked [td-shim specification
// 0.7, part I, "Metadata Reporting Use case", 3].
#pragma once

#include <cstdint>
#include <vector>

#include "shim/formats/tdvf/metadata.hpp"

namespace tdshim::linker {

enum class Profile { qemu, tdvf_payload, service_td };

/// What a profile's sections depend on.
struct Plan {
    Profile profile = Profile::qemu;
    /// Whether the VMM extends an embedded payload, or one that it places, into MRTD.
    bool extends_payload = true;
    /// Where the VMM puts the payload, in the profiles that say so. Whole pages.
    GpaRange payload_memory;
    /// Memory of a service TD above the shim's, bytes. Whole pages.
    std::uint64_t permanent_memory = 0;

    // Set by the linker.
    std::uint64_t image_size = 0;
    std::uint64_t payload_size = 0; ///< of an embedded one
    std::uint32_t td_info_size = 0; ///< 0: none
    std::uint32_t td_params_size = 0;
};

/// Where the sections' data stand in the image, from its start.
struct DataPlaces {
    std::uint64_t payload = 0;
    std::uint64_t after_payload = 0; ///< on a page
    std::uint64_t td_info = 0;
    std::uint64_t td_params = 0;
};
[[nodiscard]] DataPlaces places_of(const Plan& plan);

/// The largest that td_info and td_params may be, each, bytes.
inline constexpr std::uint32_t max_info_size = 4096;

/// The sections of the image. A VMM adds them in this order, which is therefore the order of MRTD.
[[nodiscard]] std::vector<tdvf::Section> sections_of(const Plan& plan);

/// The rules of the profile's VMM (tools/vmm/image_rules.hpp), and that the pointer at end - 0x20,
/// by which other VMMs find the metadata, says the same as the footer table. Errors: those of the
/// first rule that is broken; metadata_pointer.
[[nodiscard]] Result<void> check_profile(const Plan& plan, const tdvf::Metadata& metadata);

} // namespace tdshim::linker
