// SPDX-License-Identifier: Apache-2.0
//
// What the VMM brings into a TD's memory before it runs, beside the image: the TD HOB, and, for an
// image that has sections for them, payload, initrd, command line and ACPI tables.
#pragma once

#include "shim/formats/tdvf/metadata.hpp"
#include "tools/td-emu/options.hpp"
#include "tools/vmm/placement.hpp"

namespace tdshim::td_emu {

struct Brought {
    GpaRange hob_place; ///< empty: the image has no section for one
    std::vector<std::byte> hob;
    vmm::Placement placement;
};

/// Whether the VMM of such an image places what the TD boots, and is asked for nothing later.
[[nodiscard]] bool is_filled_by_vmm(const tdvf::Metadata& metadata);

/// Reads the files that `options` name and makes what a VMM makes of them. `ram`: the TD's.
[[nodiscard]] tools::Outcome<Brought> bring(const Options& options, Bytes image,
                                            const tdvf::Metadata& metadata,
                                            const std::vector<GpaRange>& ram);

} // namespace tdshim::td_emu
