// SPDX-License-Identifier: Apache-2.0
//
// The memory of a TD: known from the TD HOB or from the image, and accepted before anything is put
// there.
#pragma once

#include "shim/boot/context.hpp"

namespace tdshim::boot {

/// Measures and checks the TD HOB, unless the image has no section for one. Errors: those of
/// hob::parse.
[[nodiscard]] Result<void> read_td_hob(Context& context);

/// Clears what the VMM filled, most of which nobody measured, for the payload gets it as memory,
/// and a command line can name it: the sections TD_HOB, PayloadParam and Payload, the last unless
/// the payload runs there (`runs_in_place`). Nothing of them may be used afterwards. Errors:
/// page_tables_full.
[[nodiscard]] Result<void> clear_filled_memory(Context& context, bool runs_in_place);

/// Accepts the TD's memory, as the HOB lists it or as the image's own PermMem sections do, all of
/// it or as much as the payload needs, and makes the memory map of what is accepted; the rest is
/// context.unaccepted. A VMM that wants all accepted says so by the fw_cfg item
/// opt/org.tdshim/accept, "all", which is measured.
/// Errors: those of AcceptancePlan, of platform::accept_memory and of MemoryMap; fw_cfg_item_size,
/// accept_policy.
[[nodiscard]] Result<void> accept_td_memory(Context& context);

/// Accepts context.unaccepted too, for a payload that does not itself, and adds it to the memory
/// map. Errors: those of platform::accept_memory and of MemoryMap.
[[nodiscard]] Result<void> accept_what_is_left(Context& context);

} // namespace tdshim::boot
