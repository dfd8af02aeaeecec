// SPDX-License-Identifier: Apache-2.0
//
// The memory of a TD: known from the TD HOB, and accepted before anything is put there.
#pragma once

#include "shim/boot/context.hpp"
#include "shim/formats/hob/hob.hpp"

namespace tdshim::boot {

/// Measures and checks the TD HOB. Errors: those of hob::parse.
[[nodiscard]] Result<hob::MemoryList> read_td_hob(Context& context);

/// Accepts memory of `list`, all of it or as much as the payload in fw_cfg needs, and makes the
/// memory map of what is accepted; the rest is context.unaccepted. A VMM that wants all accepted
/// says so by the fw_cfg item opt/org.tdshim/accept, "all", which is measured.
/// Errors: those of AcceptancePlan, of platform::accept_memory and of MemoryMap; fw_cfg_item_size,
/// accept_policy.
[[nodiscard]] Result<void> accept_td_memory(Context& context, const hob::MemoryList& list);

} // namespace tdshim::boot
