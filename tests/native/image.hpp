// SPDX-License-Identifier: Apache-2.0
//
// A firmware image for boots in this process, which run none of its code: all that they read of it
// is its metadata and its configuration volume.
#pragma once

#include <algorithm>

#include "linker/profile.hpp"
#include "shim/formats/tdvf/builder.hpp"
#include "shim/memory/layout.hpp"
#include "tests/native/machine.hpp"

namespace tdshim::native {

/// Of the smallest size, with the sections of `plan`, these options and, at its start, `volume`.
inline Blob image_without_code(linker::Plan plan, std::uint32_t options, Bytes volume) {
    Blob image(layout::min_image_size);
    plan.image_size = image.size();
    const tdvf::ImageInfo info{.image_size = static_cast<std::uint32_t>(image.size()),
                               .payload_from_end = 0,
                               .payload_size = 0,
                               .options = options};
    static_cast<void>(
        tdvf::write_metadata(image, layout::link_room_from_end, linker::sections_of(plan), info)
            .value());
    std::ranges::copy(volume, image.begin());
    return image;
}

} // namespace tdshim::native
