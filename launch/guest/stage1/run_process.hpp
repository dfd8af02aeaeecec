// SPDX-License-Identifier: Apache-2.0
//
// A container's process, with stage 1 as the init above it.
#pragma once

#include "launch/guest/stage1/process.hpp"
#include "launch/guest/stage1/step.hpp"

namespace tdshim::stage1 {

/// Starts `process` in this root, takes in what it leaves behind, and powers the machine off when
/// it has ended. Returns only with a failure.
[[nodiscard]] Step<> run_process(const guest::Process& process);

} // namespace tdshim::stage1
