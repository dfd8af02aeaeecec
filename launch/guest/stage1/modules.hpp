// SPDX-License-Identifier: Apache-2.0
//
// The kernel modules that stage 1 was packed with.
#pragma once

#include "launch/guest/stage1/step.hpp"

namespace tdshim::stage1 {

/// Loads each of /modules in the order of their names. One whose device is not there, as
/// tdx_guest's outside of a TD, is passed over [ENODEV].
[[nodiscard]] Step<> load_modules();

} // namespace tdshim::stage1
