// SPDX-License-Identifier: Apache-2.0
//
// The step that learns which memory the machine has, and what gives it out.
#pragma once

#include "shim/boot/context.hpp"

namespace tdshim::boot {

/// Copies, measures and checks the VMM's memory map and sets aside what the shim itself occupies.
/// Errors: fw_cfg_item_missing, fw_cfg_item_size and those of e820::parse and MemoryMap.
[[nodiscard]] Result<void> read_memory_map(Context& context);

/// Makes private memory zero. Errors: page_tables_full, range_wraps.
[[nodiscard]] Result<void> clear_memory(const GpaRange& range);

/// Keeps the shim's own memory and every place that the VMM filled and that is still read, as the
/// image names them, out of every allocation, and names what stays in use. Any machine's map goes
/// through it. Errors: e820_no_memory, too_many_entries.
[[nodiscard]] Result<void> set_aside(Context& context);

/// Memory of context.memory's, which a TD has accepted by the time it is given out.
/// Errors: those of MemoryMap::allocate and of accept_place().
[[nodiscard]] Result<GpaRange> allocate(Context& context, const memory::Request& request);

/// context.memory without what nobody accepted. Errors: too_many_entries.
[[nodiscard]] Result<memory::MemoryMap> accepted_memory(const Context& context);

} // namespace tdshim::boot
