// SPDX-License-Identifier: Apache-2.0
//
// What a VMM brings into a TD's memory before it runs, beside the image: the TD HOB, and, for an
// image that has sections for them, payload, initrd, command line and ACPI tables.
#pragma once

#include <functional>

#include "tools/vmm/placement.hpp"
#include "tools/vmm/td_hob.hpp"

namespace tdshim::vmm {

/// A TD to be started from an image.
struct Launch {
    std::string image_file; ///< for messages
    Bytes image;
    const tdvf::Metadata* metadata = nullptr;
    std::vector<GpaRange> ram;
    BootFiles files; ///< for the sections
    PayloadInfoForm payload_form = PayloadInfoForm::packed;
    /// Asked where the VMM puts ACPI tables into the HOB: those that describe its devices.
    std::function<tools::Outcome<ConfigFiles>()> config_files;
};

struct Brought {
    GpaRange hob_place; ///< empty: the image has no section for one
    std::vector<std::byte> hob;
    Placement placement;
};

/// Whether the VMM of such an image places what the TD boots, and is asked for nothing later.
[[nodiscard]] bool is_filled_by_vmm(const tdvf::Metadata& metadata);

/// Makes what a VMM makes of these: the HOB of QEMU, or, with files in sections, one in the manner
/// of Cloud Hypervisor. Errors: as place_files() and td_hob().
[[nodiscard]] tools::Outcome<Brought> bring(const Launch& launch);

} // namespace tdshim::vmm
