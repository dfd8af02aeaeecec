// SPDX-License-Identifier: Apache-2.0
//
// The payload's own page tables, which the seam shim/platform/x86/address_space.hpp reaches as
// well: all of the machine's memory, the payload by permissions, nothing at address 0.
#pragma once

#include "payload/runtime/hob_list.hpp"
#include "shim/platform/x86/address_space.hpp"

namespace tdshim::runtime {

/// Leaves the shim's page tables. `hob_list`: where that stands.
/// Errors: page_tables_full, range_wraps, too_many_entries.
[[nodiscard]] Result<void> enter_address_space(const HobList& machine, const GpaRange& hob_list,
                                               std::uint64_t shared_bit);

/// Value for CR3, for other processors.
[[nodiscard]] std::uint64_t page_table_root();

} // namespace tdshim::runtime
