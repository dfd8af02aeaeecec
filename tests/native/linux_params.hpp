// SPDX-License-Identifier: Apache-2.0
//
// The boot_params that a boot handed to Linux.
#pragma once

#include "shim/formats/linux/boot_params.hpp"
#include "tests/native/machine.hpp"

namespace tdshim::native {

/// `outcome` is one in which Linux was started.
[[nodiscard]] inline linux_boot::BootParams params_of(Machine& machine, const Outcome& outcome) {
    return *read_at<linux_boot::BootParams>(
        machine.memory(outcome.linux->boot_params, sizeof(linux_boot::BootParams)), 0);
}

} // namespace tdshim::native
