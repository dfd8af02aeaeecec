// SPDX-License-Identifier: Apache-2.0
//
// The second oracle: what shim-measure would say of a launch before it happens. A boot that starts
// a payload is one that it predicts, with the registers that come of it; what it says is refused
// does not boot. And what shim-log says afterwards: the log of an honest boot agrees with the
// registers and with what was predicted.
#pragma once

#include <string>

#include "tests/fuzz/soundness/launch.hpp"

namespace tdshim::soundness {

/// In words how a boot that started a payload, with `registers` and `log`, is not what is predicted
/// for `launch`; empty when it is.
[[nodiscard]] std::string against_prediction(const Launch& launch,
                                             const measure::RegisterBank& registers, Bytes log);

} // namespace tdshim::soundness
