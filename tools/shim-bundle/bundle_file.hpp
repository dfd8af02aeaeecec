// SPDX-License-Identifier: Apache-2.0
//
// A Linux bundle of files, as shim-bundle and shim-guest write it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// Files by name; all but the kernel may be empty, and are left out then.
struct BundleInputs {
    std::string kernel;
    std::string initrd;
    std::optional<std::string> append;
    std::string append_file; ///< in the place of `append`
    std::string events;
    std::string title;
    bool appends_command_line = false;
    bool appends_initrd = false;
};

/// The bundle, after the firmware's own parser took it.
[[nodiscard]] Outcome<std::vector<std::byte>> bundle_of(const BundleInputs& inputs);

} // namespace tdshim::tools
