// SPDX-License-Identifier: Apache-2.0
//
// What stage 1 did, in RTMR[2] and for who collects the log.
#pragma once

#include "launch/guest/stage1/root_words.hpp"
#include "launch/guest/stage1/step.hpp"

namespace tdshim::stage1 {

/// Extends RTMR[2], where `root` asks for it and this is a TD, and leaves the event, as the event
/// log has them, in run/stage1/events of the file system at `place`, for shim-attest. Errors: a
/// Linux that shows no registers, as it does from 6.16 on
/// [Documentation/ABI/testing/sysfs-devices-virtual-misc-tdx_guest].
[[nodiscard]] Step<> measure(const guest::Root& root, const std::string& place);

} // namespace tdshim::stage1
