// SPDX-License-Identifier: Apache-2.0
//
// A payload that a VMM put into memory: what it is and where it ends, which nobody but its own
// bytes can tell. The firmware takes it so, and the host tools predict from it.
#pragma once

#include <cstdint>
#include <optional>

#include "shim/base/bytes.hpp"
#include "shim/formats/payload/kind.hpp"

namespace tdshim::plan {

struct PlacedFile {
    payload::Kind kind{};
    Bytes bytes;
};

/// The file at the start of `memory`, the whole section. It ends where shim-ld said that a file
/// ends which it put into the image (`stated_size`, else 0), where a signed one says it, or where
/// its headers do. `image_type` is what the VMM announces in the TD HOB (hob::image_type_...), if
/// anything: it has to be what the bytes say, and decides alone where they say nothing, which is a
/// raw vmlinux, all of `memory`.
/// Errors: those of kind_of_file, signed_payload::file_size and payload::file_size;
/// payload_kind_denied, with the announced type and the kind that was found.
[[nodiscard]] Result<PlacedFile> placed_file(Bytes memory, std::uint64_t stated_size,
                                             std::optional<std::uint32_t> image_type);

} // namespace tdshim::plan
