// SPDX-License-Identifier: Apache-2.0
//
// TDX metadata: the sections of a firmware image that a VMM puts into a TD's memory before launch.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/tdvf/wire.hpp"

namespace tdshim::tdvf {

enum class SectionType : std::uint32_t {
    bfv = 0,
    cfv = 1,
    td_hob = 2,
    temp_mem = 3,
    perm_mem = 4,
    payload = 5,
    payload_param = 6,
    td_info = 7,
    td_params = 8,
};
inline constexpr std::uint32_t max_section_type = 8;

/// "BFV", "CFV", "TD_HOB", ... as the specification writes them.
[[nodiscard]] std::string_view name_of(SectionType type);

inline constexpr std::uint32_t attribute_mr_extend = 1 << 0;
inline constexpr std::uint32_t attribute_page_aug = 1 << 1;

struct Section {
    SectionType type{};
    std::uint32_t data_offset = 0; ///< in the image
    std::uint32_t raw_size = 0;    ///< bytes in the image
    GpaRange memory;
    std::uint32_t attributes = 0;
};

inline constexpr std::size_t max_sections = 64;

/// What the VMM may be asked to add before launch, in all sections together: each page is a call of
/// the module, and work for who computes MRTD.
inline constexpr std::uint64_t max_added_memory = 4 * GiB;

struct Metadata {
    /// The first section of a type, null when there is none.
    [[nodiscard]] const Section* find(SectionType type) const;

    std::uint32_t offset = 0; ///< of the descriptor in the image
    bool found_by_footer = false;
    std::optional<std::uint32_t> legacy_pointer; ///< offset that end - 0x20 holds, where it is one
    StaticVector<Section, max_sections> sections;
};

/// Finds the metadata of `image` by the footer table or, where there is none, by the pointer at
/// end - 0x20, and checks all of it: types, alignment and sizes, data inside the image, no overlap
/// in memory, no more than max_added_memory of it before launch, a TD_HOB or PermMem. TD_INFO and
/// TD_PARAMS have no place in memory: their data stands in a BFV. Errors: the footer_, metadata_
/// and section_ faults; `at` is an offset in the image.
[[nodiscard]] Result<Metadata> parse_metadata(Bytes image);

} // namespace tdshim::tdvf
