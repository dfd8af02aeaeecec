// SPDX-License-Identifier: Apache-2.0
//
// Writes what a VMM looks for into the end of a firmware image: TDX metadata, the GUIDed footer
// table that leads to it, the legacy pointer, and our own image information.
#pragma once

#include <cstdint>
#include <span>

#include "shim/base/bytes.hpp"
#include "shim/formats/tdvf/metadata.hpp"
#include "shim/formats/tdvf/wire.hpp"

namespace tdshim::tdvf {

/// Writes into the last `room_from_end` bytes of `image`, of which it leaves the last 0x1C and the
/// unused middle as they are: the metadata stands at the start of the room, the table below the
/// last 0x20 bytes. The sections are written as they are; parse_metadata is what checks them.
/// Returns the descriptor's offset in the image.
/// Errors: reset_vector_slot when the room is larger than the image or too small.
[[nodiscard]] Result<std::uint32_t> write_metadata(MutableBytes image, std::size_t room_from_end,
                                                   std::span<const Section> sections,
                                                   const ImageInfo& info);

} // namespace tdshim::tdvf
