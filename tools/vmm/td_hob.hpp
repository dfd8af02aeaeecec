// SPDX-License-Identifier: Apache-2.0
//
// The TD HOB as VMMs write it [QEMU hw/i386/tdvf-hob.c; Cloud Hypervisor arch/src/x86_64/tdx,
// vmm/src/vm.rs]: the RAM, in which some sections of the image are listed as memory that was added,
// the rest as unaccepted.
#pragma once

#include <optional>
#include <vector>

#include "shim/base/gpa.hpp"
#include "shim/formats/hob/wire.hpp"
#include "shim/formats/tdvf/metadata.hpp"

namespace tdshim::vmm {

enum class Kind { qemu, cloud_hypervisor, tdshim_spec };

/// RAM of a guest with `size` bytes of memory under that VMM: QEMU's q35, or Cloud Hypervisor's
/// only machine, whose hole below 4 GiB begins at 3 GiB.
[[nodiscard]] std::vector<GpaRange> ram_of(Kind kind, std::uint64_t size);

/// The data of the HOB that announces a payload.
enum class PayloadInfoForm {
    packed,    ///< 12 bytes, as Cloud Hypervisor writes it [vmm/src/vm.rs]
    specified, ///< 16 [td-shim specification 0.7, part II, "Payload Information GUID Extension"]
};

/// What a HOB list may hold beside the RAM.
struct HobExtras {
    std::vector<GpaRange> mmio;
    std::vector<std::vector<std::byte>> acpi_tables;
    std::optional<hob::PayloadInfo> payload;
    PayloadInfoForm payload_form = PayloadInfoForm::specified;
    std::optional<hob::InitrdInfo> initrd;
};

/// The HOB list for `ram`, that stands at the start of `place`, the TD_HOB section. QEMU carves
/// TempMem and TD_HOB out of the RAM, Cloud Hypervisor TempMem alone, and it calls unaccepted
/// memory system memory when it found the metadata by the pointer at end - 0x20. Errors:
/// hob_list_full.
[[nodiscard]] Result<std::vector<std::byte>> td_hob(Kind kind, const std::vector<GpaRange>& ram,
                                                    const tdvf::Metadata& metadata,
                                                    const GpaRange& place,
                                                    const HobExtras& extras = {});

} // namespace tdshim::vmm
