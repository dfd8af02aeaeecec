// SPDX-License-Identifier: Apache-2.0
//
// The least of UEFI that lets Linux accept memory itself: a system table without services, whose
// one configuration table is LINUX_EFI_UNACCEPTED_MEM_TABLE, and a memory map without runtime
// memory, so that the kernel never calls anybody [UEFI 2.10, 4.3, 7.2; Linux drivers/firmware/efi/
// unaccepted_memory.c, arch/x86/boot/compressed/mem.c; specs/lazy-acceptance.md].
#pragma once

#include <cstddef>
#include <span>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/formats/e820/e820.hpp"

namespace tdshim::efi {

/// Where the tables stand.
struct Handover {
    Gpa system_table;
    Gpa memory_map;
    std::uint32_t memory_map_size = 0;
};
inline constexpr std::uint32_t memory_descriptor_size = 40;
inline constexpr std::uint32_t memory_descriptor_version = 1;

/// Bytes that write_handover needs for `unaccepted`, which is sorted and made of whole large pages.
[[nodiscard]] std::uint64_t handover_size(std::span<const GpaRange> unaccepted);

/// Writes the tables at the start of `area`, which is zero, stands at `place` and has at least
/// handover_size(unaccepted) bytes. `memory` is the final memory map without `unaccepted`.
/// Errors: too_many_entries when the memory map has no room.
[[nodiscard]] Result<Handover> write_handover(MutableBytes area, Gpa place,
                                              const e820::Table& memory,
                                              std::span<const GpaRange> unaccepted);

} // namespace tdshim::efi
