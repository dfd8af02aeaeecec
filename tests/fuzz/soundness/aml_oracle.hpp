// SPDX-License-Identifier: Apache-2.0
//
// Whether an image's AML policy holds, by what the payload can reach and not by what was decided on
// the way there.
#pragma once

#include "tests/fuzz/soundness/view.hpp"

namespace tdshim::soundness {

/// A finding in words, or nothing: AML in `view` that the image of `launch` does not admit.
[[nodiscard]] std::string against_aml_policy(const Launch& launch, const View& view);

} // namespace tdshim::soundness
