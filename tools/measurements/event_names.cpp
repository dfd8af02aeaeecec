// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/event_names.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

struct Name {
    std::uint32_t type;
    std::string_view text;
};

// TCG PC Client Platform Firmware Profile 1.05, 10.4.1.
constexpr std::array names{
    Name{0x1, "EV_POST_CODE"},
    Name{0x3, "EV_NO_ACTION"},
    Name{0x4, "EV_SEPARATOR"},
    Name{0x5, "EV_ACTION"},
    Name{0x6, "EV_EVENT_TAG"},
    Name{0x7, "EV_S_CRTM_CONTENTS"},
    Name{0x8, "EV_S_CRTM_VERSION"},
    Name{0xA, "EV_PLATFORM_CONFIG_FLAGS"},
    Name{0xB, "EV_TABLE_OF_DEVICES"},
    Name{0xC, "EV_COMPACT_HASH"},
    Name{0xD, "EV_IPL"},
    Name{0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG"},
    Name{0x80000002, "EV_EFI_VARIABLE_BOOT"},
    Name{0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION"},
    Name{0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER"},
    Name{0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER"},
    Name{0x80000006, "EV_EFI_GPT_EVENT"},
    Name{0x80000007, "EV_EFI_ACTION"},
    Name{0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB"},
    Name{0x80000009, "EV_EFI_HANDOFF_TABLES"},
    Name{0x8000000A, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"},
    Name{0x8000000B, "EV_EFI_HANDOFF_TABLES2"},
    Name{0x8000000C, "EV_EFI_VARIABLE_BOOT2"},
    Name{0x800000E0, "EV_EFI_VARIABLE_AUTHORITY"},
};

} // namespace

std::string event_type_name(std::uint32_t type) {
    const auto found = std::ranges::find(names, type, &Name::type);
    return found == names.end() ? hex(type) : std::string(found->text);
}

std::string register_key(std::uint32_t mr_index) {
    return mr_index == 0 ? "mrtd" : "rtmr" + std::to_string(mr_index - 1);
}

std::string register_name(std::uint32_t mr_index) {
    return mr_index == 0 ? "MRTD" : "RTMR[" + std::to_string(mr_index - 1) + "]";
}

} // namespace tdshim::tools
