// SPDX-License-Identifier: Apache-2.0
//
// Where a firmware image has its configuration volume.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "shim/formats/tdvf/metadata.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

struct VolumePlace {
    std::size_t offset = 0; ///< in the image
    std::size_t size = 0;   ///< in bytes
};

/// Nothing when no CFV section of `metadata` has bytes in the image. The parser of the metadata
/// made sure that they lie inside. The first counts where there are several.
[[nodiscard]] std::optional<VolumePlace> find_volume(const tdvf::Metadata& metadata);

/// The place in `image`, read from `file`, or a Failure.
[[nodiscard]] Outcome<VolumePlace> require_volume(Bytes image, const std::string& file);

} // namespace tdshim::tools
