// SPDX-License-Identifier: Apache-2.0
//
// The modules of a kernel that stage 1 needs, by the lists that depmod made.
#pragma once

#include <string>
#include <vector>

#include "tools/common/failure.hpp"

namespace tdshim::tools {

struct KernelModule {
    std::string name;               ///< "dm_verity"
    std::vector<std::byte> content; ///< as the kernel loads it, decompressed
};

/// What stage 1 needs for `storage` that the kernel does not have built in, in the order of
/// loading. `folder` holds lib/modules/VERSION with modules.dep and modules.builtin, of one
/// version. Errors: one that the kernel has not at all.
[[nodiscard]] Outcome<std::vector<KernelModule>> modules_of_stage1(const std::string& folder,
                                                                   bool needs_overlay);

} // namespace tdshim::tools
