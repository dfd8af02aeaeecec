// SPDX-License-Identifier: Apache-2.0
//
// The other processors of a TD, which wait in the shim's reset vector for the multiprocessor wakeup
// mailbox [ACPI 6.5, 5.2.12.19].
#pragma once

#include <cstdint>

#include "payload/runtime/acpi.hpp"
#include "payload/runtime/hob_list.hpp"

namespace tdshim::runtime {

/// Wakes one after the other and lets each call `work` with its APIC ID, on a stack of its own and
/// with the payload's page tables; afterwards it halts. Returns how many came. Errors:
/// memory_exhausted without memory below 1 MiB for where they begin; page_tables_full.
[[nodiscard]] Result<std::size_t> wake_processors(const HobList& machine,
                                                  const Processors& processors,
                                                  void (*work)(std::uint32_t apic_id));

} // namespace tdshim::runtime
