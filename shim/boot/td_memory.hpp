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

/// Makes the memory map of the TD's memory, as the HOB lists it or as the image's own PermMem
/// sections do. What is no whole large page is accepted here; the rest is context.unaccepted, of
/// which allocate() accepts what it gives out. A VMM that wants all accepted here says so by the
/// fw_cfg item opt/org.tdshim/accept, "all", which is measured.
/// Errors: those of AcceptancePlan, of platform::accept_memory and of MemoryMap; fw_cfg_item_size,
/// accept_policy.
[[nodiscard]] Result<void> accept_td_memory(Context& context);

/// Accepts the large pages of context.unaccepted that `place` touches, by all processors.
/// Errors: too_many_entries and those of platform::accept_memory.
[[nodiscard]] Result<void> accept_place(Context& context, const GpaRange& place);

/// Accepts all of context.unaccepted, for a payload that does not itself. Errors: as
/// accept_place().
[[nodiscard]] Result<void> accept_what_is_left(Context& context);

} // namespace tdshim::boot
