// SPDX-License-Identifier: Apache-2.0
//
// The plain VM: it boots what a TD boots, for development and tests, and proves nothing to anybody.
#pragma once

#include "shim/measure/register_bank.hpp"

namespace tdshim::vm {

/// What reset leaves undone on a plain processor: caches on, write-back the default memory type.
void prepare_processor();

/// RTMR[0..3] in software.
[[nodiscard]] measure::RegisterBank& registers();

} // namespace tdshim::vm
