// SPDX-License-Identifier: Apache-2.0
//
// Which of the guest's disks has the root file system. None is asked what it says it is: all are
// tried, and the wrong one can only fail.
#pragma once

#include <string>

#include "launch/guest/stage1/device_mapper.hpp"

namespace tdshim::stage1 {

/// Waits for a disk that holds `root`, and maps it; a block that is changed later makes the kernel
/// panic. Errors: none came in the time that it waits for.
[[nodiscard]] Step<MappedDevice> await_root(const guest::Root& root);

} // namespace tdshim::stage1
