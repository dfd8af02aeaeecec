// SPDX-License-Identifier: Apache-2.0
//
// The memory of a TD: known from the TD HOB, and accepted before anything is put there.
#pragma once

#include "shim/boot/context.hpp"

namespace tdshim::boot {

/// Measures and checks the TD HOB, accepts the memory that it lists and makes the memory map of it.
/// Errors: those of hob::parse, of AcceptancePlan and of platform::accept_memory; e820_no_memory.
[[nodiscard]] Result<void> read_td_memory(Context& context);

} // namespace tdshim::boot
