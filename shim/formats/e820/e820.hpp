// SPDX-License-Identifier: Apache-2.0
//
// The E820 memory map [ACPI 6.5, 15]: 20-byte entries, both in the fw_cfg file etc/e820 that the
// VMM fills and in the boot_params that Linux reads.
#pragma once

#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/static_vector.hpp"

namespace tdshim::e820 {

/// Any 32-bit number may arrive; only these have a meaning to the shim.
enum class Type : std::uint32_t {
    memory = 1,
    reserved = 2,
    acpi = 3,
    nvs = 4,
    unusable = 5,
    unaccepted = 8, ///< [td-shim specification 0.7, 3.4], for payloads other than Linux
};

struct WireEntry {
    le64 address; // 0
    le64 size;    // 8
    le32 type;    // 16
};
static_assert(sizeof(WireEntry) == 20);

struct Entry {
    GpaRange range;
    Type type = Type::reserved;
};

/// As many entries as boot_params can hand on.
inline constexpr std::size_t max_entries = 128;
using Table = StaticVector<Entry, max_entries>;

/// The entries, sorted by address.
/// Errors: e820_size, too_many_entries, e820_entry_empty, range_wraps, e820_overlap.
[[nodiscard]] Result<Table> parse(Bytes bytes);

} // namespace tdshim::e820
