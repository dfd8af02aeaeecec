// SPDX-License-Identifier: Apache-2.0
//
// Stage 1's initramfs: its program and the modules that it loads.
#pragma once

#include <string>
#include <vector>

#include "shim/base/bytes.hpp"
#include "tools/shim-guest/kernel_modules.hpp"

namespace tdshim::tools {

/// A gzip'd cpio archive of the kernel's format, the same bytes for the same input.
[[nodiscard]] Outcome<std::vector<std::byte>>
initramfs_of(Bytes stage1, const std::vector<KernelModule>& modules);

} // namespace tdshim::tools
