// SPDX-License-Identifier: Apache-2.0
//
// What an image does about AML of its VMM's, code that the guest's kernel executes: two bits of the
// options that shim-ld writes.
#pragma once

#include <cstdint>
#include <string_view>

#include "shim/formats/tdvf/wire.hpp"

namespace tdshim::tdvf {

enum class AmlPolicy : std::uint32_t {
    measured = 0, ///< measured and handed on, like all other tables
    refuse = 1,   ///< ends the boot
    drop = 2,     ///< left out; a DSDT of the shim's own serves
    enrolled = 3, ///< ends the boot, unless its digest is enrolled in the image
};

[[nodiscard]] constexpr AmlPolicy aml_policy_of(std::uint32_t options) {
    return static_cast<AmlPolicy>((options & option_aml_mask) >> option_aml_shift);
}

[[nodiscard]] constexpr std::uint32_t option_of(AmlPolicy policy) {
    return static_cast<std::uint32_t>(policy) << option_aml_shift;
}

/// As shim-ld takes it.
[[nodiscard]] constexpr std::string_view name_of(AmlPolicy policy) {
    switch (policy) {
    case AmlPolicy::measured: return "measured";
    case AmlPolicy::refuse: return "refuse";
    case AmlPolicy::drop: return "drop";
    case AmlPolicy::enrolled: return "enrolled";
    }
    return "unknown";
}

/// What whoever links or reads an image with such a policy, in which nobody's signature is
/// demanded, has to know (specs/threat-model.md, "AML").
inline constexpr std::string_view unsealed_aml_note =
    "the AML policy keeps out the VMM's tables; an initrd or a command line of the VMM's can bring "
    "others once the system runs: seal the payload (shim-enroll --policy signed) or compare "
    "RTMR[1]";

} // namespace tdshim::tdvf
