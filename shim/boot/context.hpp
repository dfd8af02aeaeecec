// SPDX-License-Identifier: Apache-2.0
//
// What the steps of the boot share.
#pragma once

#include <optional>
#include <string_view>

#include "shim/boot/items.hpp"
#include "shim/boot/recorder.hpp"
#include "shim/formats/cfv/enrolment.hpp"
#include "shim/formats/hob/hob.hpp"
#include "shim/formats/tdvf/metadata.hpp"
#include "shim/memory/acceptance.hpp"
#include "shim/memory/memory_map.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {

struct Context {
    Recorder recorder;
    Items items{};
    memory::MemoryMap memory{};
    /// What shim-ld says about the image, and its sections; nothing in an image of another linker.
    std::optional<tdvf::ImageInfo> image_info{};
    std::optional<tdvf::Metadata> metadata{};
    /// What the image's owner wants; nothing at first: everything is measured and may run.
    cfv::Enrolment enrolment{};
    /// In a TD; empty where the image has no section for it.
    hob::TdHob td_hob{};
    /// What of it in a TD nobody accepted yet, in whole large pages: the payload is to, when it
    /// needs it.
    memory::RangeList unaccepted{};
    memory::AcceptanceCounts accepted{};
    /// SMBIOS tables of the VMM's, if they are to be handed on.
    std::optional<GpaRange> smbios{};
    /// The input that is being dealt with; a refusal names it.
    std::string_view input = "firmware";

    [[nodiscard]] bool has_option(std::uint32_t option) const {
        return image_info && (image_info->options & option) != 0;
    }
    /// What the digests of td-shim's events cover.
    [[nodiscard]] measure::Digests digests() const {
        return has_option(tdvf::option_region_digests) ? measure::Digests::td_shim
                                                       : measure::Digests::named;
    }
    [[nodiscard]] const tdvf::Section* section(tdvf::SectionType type) const {
        return metadata ? metadata->find(type) : nullptr;
    }
    /// A TD whose image says where the VMM puts the payload, or that it owns all of its memory,
    /// asks the VMM for nothing while it runs.
    [[nodiscard]] bool uses_fw_cfg() const {
        return !platform::is_td() || (section(tdvf::SectionType::payload) == nullptr &&
                                      section(tdvf::SectionType::perm_mem) == nullptr);
    }
};

} // namespace tdshim::boot
