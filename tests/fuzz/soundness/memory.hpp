// SPDX-License-Identifier: Apache-2.0
//
// What the VMM of a launch says of the machine's memory, in a TD HOB with all else that such a list
// may hold, or in the memory map of a plain VM.
#pragma once

#include "tests/fuzz/soundness/launch.hpp"

namespace tdshim::soundness {

/// `launch` is as its plan says but for the HOB: the list tells where its files stand.
[[nodiscard]] Blob td_hob(const Plan& plan, const Launch& launch);

[[nodiscard]] Blob memory_map(const Choices& choices);

} // namespace tdshim::soundness
