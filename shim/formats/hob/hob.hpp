// SPDX-License-Identifier: Apache-2.0
//
// The TD HOB: what the VMM says about a TD's memory, and what it brings beside that. The list is
// checked as a whole, once; whoever holds a TdHob need not doubt its form again.
#pragma once

#include <cstdint>
#include <optional>

#include "shim/base/bytes.hpp"
#include "shim/base/foreign.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/hob/wire.hpp"

namespace tdshim::hob {

/// Guest memory of one kind.
struct Memory {
    GpaRange range;
    bool is_accepted = false; ///< the VMM added it before the TD began to run
};

inline constexpr std::size_t max_memory_ranges = 64;

/// Sorted, whole pages, without overlaps.
using MemoryList = StaticVector<Memory, max_memory_ranges>;

/// What the VMM says of the payload section.
struct AnnouncedPayload {
    std::uint32_t image_type = 0; ///< image_type_...; any number may stand here
    Gpa entry;
};

inline constexpr std::size_t max_acpi_tables = 32;

struct TdHob {
    MemoryList memory;
    StaticVector<Foreign, max_acpi_tables> acpi_tables; ///< padded; refer to the list
    std::optional<AnnouncedPayload> payload;
    std::optional<GpaRange> initrd;
};

/// One HOB, without the padding behind it.
struct Framed {
    HobType type{}; ///< any number may stand here
    Bytes hob;      ///< with its header
};

/// Walks over a list from HOB to HOB.
class Walk {
  public:
    explicit Walk(Bytes area) : area_(area), reader_(area) {}

    /// Offset of the next HOB in the area.
    [[nodiscard]] std::size_t offset() const { return reader_.offset(); }

    /// Errors: truncated, hob_length, hob_reserved; `at` is an offset in the area.
    [[nodiscard]] Result<Framed> next();

  private:
    Bytes area_;
    Reader reader_;
};

/// Bytes of the HOB list at the start of `area`, its end-of-list HOB among them.
/// Errors: truncated, hob_length, hob_reserved; `at` is an offset in `area`.
[[nodiscard]] Result<std::size_t> list_size(Bytes area);

/// Reads the HOB list at the start of `area`, which stands at `base`. VMMs tell unaccepted memory
/// in two ways: as resource type 7; or, where no type 7 occurs, as type 0, with type 5 for memory
/// that they added. No resource may reach `limit`, the address of the shared bit. Errors:
/// truncated, hob_no_handoff, hob_length, hob_type, hob_reserved, hob_end, hob_resource_type,
/// hob_resource_alignment, hob_resource_empty, hob_resource_overlap, hob_above_gpa_width,
/// hob_payload_info, hob_initrd_info, hob_guid_twice, range_wraps, too_many_entries; `at` is an
/// offset in `area`, for overlaps an address.
[[nodiscard]] Result<TdHob> parse(Bytes area, Gpa base, Gpa limit);

} // namespace tdshim::hob
