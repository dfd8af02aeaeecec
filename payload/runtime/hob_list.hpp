// SPDX-License-Identifier: Apache-2.0
//
// The payload HOB list: what the shim tells an executable payload about its machine [td-shim
// specification 0.7, part III]. The list is checked as a whole, once.
#pragma once

#include <optional>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/e820/e820.hpp"

namespace tdshim::runtime {

inline constexpr std::size_t max_acpi_tables = 64;

struct HobList {
    std::size_t size = 0; ///< bytes of the list, the end-of-list HOB among them
    std::size_t hobs = 0;
    e820::Table memory;                               ///< sorted, without overlaps
    StaticVector<Bytes, max_acpi_tables> acpi_tables; ///< each as long as its header says

    /// The first ACPI table with this signature.
    [[nodiscard]] std::optional<Bytes> find_table(std::string_view signature) const;
};

/// Reads the list at the start of `area`. Errors: truncated, hob_no_handoff, hob_length,
/// hob_reserved, hob_guid_twice, e820_no_memory without an E820 table, acpi_length,
/// too_many_entries, those of e820::parse; `at` is an offset in `area`, of E820 errors in the
/// table.
[[nodiscard]] Result<HobList> parse_hob_list(Bytes area);

} // namespace tdshim::runtime
