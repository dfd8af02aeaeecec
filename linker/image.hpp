// SPDX-License-Identifier: Apache-2.0
//
// Stitches final.bin: configuration volume, embedded payload, shim and reset vector at their places
// (shim/memory/layout.hpp), with the metadata by which a VMM loads it. specs/image-format.md has
// the picture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "linker/profile.hpp"
#include "linker/shim.hpp"
#include "shim/base/bytes.hpp"
#include "shim/formats/tdvf/metadata.hpp"

namespace tdshim::linker {

/// A part of the image, for the printed layout.
struct Region {
    std::string_view what;
    std::uint64_t offset = 0; ///< in the image
    GpaRange memory;          ///< where that stands in guest memory
};

struct Image {
    std::vector<std::byte> bytes;
    std::vector<Region> regions; ///< by offset, without gaps
    tdvf::Metadata metadata;     ///< as read back from `bytes`
};

/// `reset_vector` has its fixed size and only zeros where the linker writes.
/// Errors: reset_vector_size, reset_vector_slot; `at` is an offset in it.
[[nodiscard]] Result<void> check_reset_vector(Bytes reset_vector);

/// Bytes of an image with `payload`, or without any.
/// Errors: payload_size when it is empty or the image would be larger than 16 MiB.
[[nodiscard]] Result<std::uint64_t> image_size(std::optional<Bytes> payload);

/// What an image is made of, beside reset vector and shim.
struct Contents {
    std::optional<Bytes> payload;
    std::uint32_t options = 0; ///< tdvf::option_ bits
    Plan plan;                 ///< without what the linker sets
    Bytes td_info;             ///< at most max_info_size bytes; empty: none
    Bytes td_params;
};

/// The whole image, read back and checked by the parser and by the profile's rules.
/// `reset_vector` was checked.
/// Errors: as above, td_info_size, and those of parse_metadata and check_profile for an image that
/// breaks a rule.
[[nodiscard]] Result<Image> link(Bytes reset_vector, const Shim& shim, const Contents& contents);

} // namespace tdshim::linker
