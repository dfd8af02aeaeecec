// SPDX-License-Identifier: Apache-2.0
//
// Where the kernel file comes from: the image itself, a named fw_cfg item, QEMU's etc/boot/kernel,
// or the legacy keys, in this order.
#pragma once

#include "shim/boot/context.hpp"

namespace tdshim::boot {

struct KernelFile {
    GpaRange
        place; ///< of the copy, for MemoryMap::release(); in the image there is nothing to release
    Bytes bytes;
};

/// Copies the whole kernel file into private memory; names its source in `context.input`.
/// Errors: kernel_missing, kernel_does_not_fit, those of Items and of tdvf::find_image_info.
[[nodiscard]] Result<KernelFile> fetch_kernel(Context& context);

} // namespace tdshim::boot
