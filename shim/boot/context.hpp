// SPDX-License-Identifier: Apache-2.0
//
// What the steps of the boot share.
#pragma once

#include <optional>
#include <string_view>

#include "shim/boot/items.hpp"
#include "shim/boot/recorder.hpp"
#include "shim/formats/tdvf/wire.hpp"
#include "shim/memory/acceptance.hpp"
#include "shim/memory/memory_map.hpp"

namespace tdshim::boot {

struct Context {
    Recorder recorder;
    Items items;
    memory::MemoryMap memory;
    /// What shim-ld says about the image; nothing in an image of another linker.
    std::optional<tdvf::ImageInfo> image_info{};
    /// Memory of a TD that Linux is to accept when it needs it.
    memory::RangeList unaccepted{};
    /// The input that is being dealt with; a refusal names it.
    std::string_view input = "firmware";

    [[nodiscard]] bool has_option(std::uint32_t option) const {
        return image_info && (image_info->options & option) != 0;
    }
};

} // namespace tdshim::boot
