// SPDX-License-Identifier: Apache-2.0
//
// The TD HOB as QEMU writes it [QEMU hw/i386/tdvf-hob.c]: the RAM, in which the sections TempMem
// and TD_HOB are listed as memory that was added, the rest as unaccepted.
#pragma once

#include <vector>

#include "shim/base/gpa.hpp"
#include "shim/formats/tdvf/metadata.hpp"

namespace tdshim::vmm {

/// RAM of QEMU's machine q35 with `size` bytes of memory: below and above 4 GiB.
[[nodiscard]] std::vector<GpaRange> ram_of_q35(std::uint64_t size);

/// The HOB list for `ram`, that stands at `base`.
[[nodiscard]] std::vector<std::byte> td_hob(const std::vector<GpaRange>& ram,
                                            const tdvf::Metadata& metadata, Gpa base);

} // namespace tdshim::vmm
