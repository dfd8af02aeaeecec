// SPDX-License-Identifier: Apache-2.0
//
// What the firmware makes of a payload and of what the VMM supplies beside it, by the firmware's
// own decisions (shim/verify, shim/plan): the boot's measurements, or why it is refused.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shim/formats/cfv/enrolment.hpp"
#include "shim/formats/hob/hob.hpp"
#include "shim/formats/payload/kind.hpp"
#include "shim/verify/payload.hpp"
#include "tools/common/failure.hpp"
#include "tools/measurements/prediction.hpp"

namespace tdshim::tools {

struct SuppliedPayload {
    /// Of one that a VMM puts into a section, payload_region has it, and more.
    Bytes file;
    std::uint64_t stated_size = 0; ///< of one that shim-ld put into a section
    std::string origin;            ///< in words
    std::string name;              ///< for messages
    /// What the VMM announces of it in the TD HOB, where that is known.
    std::optional<hob::AnnouncedPayload> announced;
    GpaRange raw_place; ///< where it stands, if it is a raw vmlinux

    /// The initrd that the VMM supplies; its bytes where the image's AML policy has them looked at.
    std::optional<InputFile> initrd;
    std::vector<std::byte> initrd_bytes;
    /// The text that the VMM supplies: an item of fw_cfg, or what is in the PayloadParam section.
    InputBytes command_line;
    bool is_item = true;

    /// The sections as they are in memory, zeros behind what the VMM put there.
    std::optional<std::vector<std::byte>> payload_region;
    std::optional<std::vector<std::byte>> parameter_region;
    bool payload_is_in_mrtd = false;
};

/// Adds what is measured of it to `inputs`, whose image_options say of what image. A Failure where
/// the firmware refuses the boot.
[[nodiscard]] Outcome<> decide_payload(const cfv::Enrolment& enrolment,
                                       const SuppliedPayload& supplied, BootInputs& inputs);

} // namespace tdshim::tools
