// SPDX-License-Identifier: Apache-2.0
//
// The GUIDed table at the end of a firmware image: how VMMs find the TDX metadata, and how the shim
// finds what shim-ld put beside it.
#pragma once

#include <optional>

#include "shim/base/bytes.hpp"
#include "shim/base/guid.hpp"
#include "shim/formats/tdvf/wire.hpp"

namespace tdshim::tdvf {

/// Data of the table's entry `guid`, nothing when the table has none; of several the one nearest to
/// the footer, as in QEMU. `image` is the end of a firmware image, whole or only its last pages.
/// Errors: truncated, footer_missing, footer_table_length, footer_entry_length; `at` is an offset
/// in `image`.
[[nodiscard]] Result<std::optional<Bytes>> find_table_entry(Bytes image, const Guid& guid);

/// The image information that shim-ld wrote, nothing for an image of another make. The payload that
/// it names lies inside the image of info.image_size bytes, of which `image` is the end.
/// Errors: as above; image_info_size, payload_outside_image, image_options.
[[nodiscard]] Result<std::optional<ImageInfo>> find_image_info(Bytes image);

} // namespace tdshim::tdvf
