// SPDX-License-Identifier: Apache-2.0
//
// What the firmware measures of the payload: the file, or the files that a unified kernel image
// holds, the initrd and the command line, wherever they come from.
#pragma once

#include "tools/shim-measure/inputs.hpp"

namespace tdshim::tools {

/// Adds them to `inputs`. `placement`: what the VMM of an image with sections for it puts there.
[[nodiscard]] Outcome<> add_payload(const Options& options, const Image& image,
                                    const vmm::Placement& placement, BootInputs& inputs);

} // namespace tdshim::tools
