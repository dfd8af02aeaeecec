// SPDX-License-Identifier: Apache-2.0
//
// A launch in bytes: the image, and everything that the VMM gives to a boot of it. This is all that
// the oracles know of what was chosen.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shim/formats/fw_cfg/wire.hpp"
#include "tests/fuzz/soundness/choices.hpp"

namespace tdshim::soundness {

struct Launch {
    Blob image;
    std::uint32_t options = 0; ///< of the image: tdvf::option_ bits
    bool is_td = false;
    /// Whether the VMM puts payload, initrd and command line into sections of the image.
    bool is_placed = false;
    std::uint32_t processors = 1; ///< as the TDX module and QEMU say
    std::vector<std::pair<std::string, Blob>> files;
    std::map<fw_cfg::Selector, Blob> items;

    // Of a TD: the memory that the VMM adds, from the start of each section on.
    Blob hob;       ///< the list, and what is behind it
    Blob payload;   ///< the payload alone, wherever it comes from
    Blob initrd;    ///< placed behind the payload, on a page
    Blob parameter; ///< of the PayloadParam section
    Blob behind_parameter;

    [[nodiscard]] const Blob* file(std::string_view name) const;
    [[nodiscard]] Gpa initrd_place() const;
    /// All of the Payload section.
    [[nodiscard]] Blob payload_memory() const;
};

[[nodiscard]] Launch launch_of(const Plan& plan);

/// Makes `machine` one that is launched so.
void start(native::Machine& machine, const Launch& launch);

} // namespace tdshim::soundness
