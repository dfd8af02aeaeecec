// SPDX-License-Identifier: Apache-2.0
//
// The least of UEFI that lets Linux accept memory itself, and a kernel that it starts by kexec: a
// system table without boot services, whose runtime services are none, LINUX_EFI_UNACCEPTED_MEM_
// TABLE, and tables that say so of the services and which of their pages is code [UEFI 2.10, 4.3,
// 4.6, 7.2; Linux drivers/firmware/efi/unaccepted_memory.c, arch/x86/boot/compressed/mem.c;
// specs/lazy-acceptance.md]. Beside them, what Linux finds by EFI's tables alone: what the firmware
// printed, and SMBIOS.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/formats/e820/e820.hpp"
#include "shim/formats/efi/runtime.hpp"

namespace tdshim::efi {

/// Where the tables stand.
struct Handover {
    Gpa system_table;
    Gpa memory_map;
    std::uint32_t memory_map_size = 0;
    GpaRange debug_log; ///< for write_debug_log()
};
inline constexpr std::uint32_t memory_descriptor_size = 40;
inline constexpr std::uint32_t memory_descriptor_version = 1;

/// Bytes that write_handover needs for `unaccepted`, which is sorted and made of whole large pages,
/// if it is not empty.
/// The first runtime_size of them stay the firmware's at run time.
[[nodiscard]] std::uint64_t handover_size(std::span<const GpaRange> unaccepted);

/// What the tables tell of.
struct Contents {
    const e820::Table& memory; ///< the final map, without `unaccepted` and the memory for run time
    std::span<const GpaRange> unaccepted;
    std::optional<GpaRange> smbios; ///< SMBIOS tables, if there are any
};

/// Writes the tables at the start of `area`, which is zero, stands at `place`, on a page, and has
/// at least handover_size(unaccepted) bytes; the log of the console is empty.
/// Errors: too_many_entries when the memory map has no room.
[[nodiscard]] Result<Handover> write_handover(MutableBytes area, Gpa place,
                                              const Contents& contents);

/// As much text of the console as is handed on.
inline constexpr std::size_t debug_log_room = 8 * KiB;

/// Writes the log to `area`, Handover::debug_log: the text, of which `lost` bytes more were there,
/// and who wrote it. Text beyond debug_log_room counts as lost.
void write_debug_log(MutableBytes area, std::string_view version, std::string_view text,
                     std::uint64_t lost);

} // namespace tdshim::efi
