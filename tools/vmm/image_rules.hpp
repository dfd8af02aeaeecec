// SPDX-License-Identifier: Apache-2.0
//
// What each VMM asks of a firmware image beyond TDX metadata being well formed, so that a refusal
// is explained before the launch. [QEMU hw/i386/tdvf.c, hw/i386/pc_sysfw_ovmf.c,
// target/i386/kvm/tdx.c; Cloud Hypervisor arch/src/x86_64/tdx, vmm/src/vm.rs; td-shim specification
// 0.7, part I]
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/vmm/td_hob.hpp"

namespace tdshim::vmm {

struct Violation {
    Error error;                        ///< `at` is an offset in the image
    std::optional<std::size_t> section; ///< number in the metadata, when it is about one
    std::string consequence;            ///< what the VMM does then
};

/// All rules of `kind` that an image of `image_size` bytes with `metadata` breaks, in the order of
/// the sections; those about the image as a whole first. With `memory` bytes of RAM also where
/// sections must lie in it.
[[nodiscard]] std::vector<Violation> violations(Kind kind, std::uint64_t image_size,
                                                const tdvf::Metadata& metadata,
                                                std::optional<std::uint64_t> memory);

} // namespace tdshim::vmm
