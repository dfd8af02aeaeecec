// SPDX-License-Identifier: Apache-2.0
//
// Hand-off blocks as they stand in the TD HOB list [UEFI PI 1.8, volume 3, 5; td-shim specification
// 0.7, part II; Intel TDX Virtual Firmware Design Guide, 4.2].
#pragma once

#include <array>
#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/base/guid.hpp"

namespace tdshim::hob {

enum class HobType : std::uint16_t {
    handoff = 1, ///< PHIT, the first of a list
    memory_allocation = 2,
    resource = 3,
    guid_extension = 4,
    firmware_volume = 5,
    cpu = 6,
    end_of_list = 0xFFFF,
};

struct HobHeader {
    le16 type;     // 0
    le16 length;   // 2: with this header
    le32 reserved; // 4
};
static_assert(sizeof(HobHeader) == 8);

/// PHIT HOB.
struct Handoff {
    HobHeader header;
    le32 version;    // 8: 9
    le32 boot_mode;  // 12
    le64 memory_top; // 16
    le64 memory_bottom;
    le64 free_memory_top;
    le64 free_memory_bottom;
    le64 end_of_hob_list; // 48: address behind the last HOB
};
static_assert(sizeof(Handoff) == 56);

enum class ResourceType : std::uint32_t {
    system_memory = 0,
    memory_mapped_io = 1,
    io = 2,
    firmware_device = 3,
    memory_mapped_io_port = 4,
    memory_reserved = 5,
    io_reserved = 6,
    memory_unaccepted = 7,
};
inline constexpr std::uint32_t last_resource_type = 7;

struct WireResource {
    HobHeader header;
    Guid owner;      // 8
    le32 type;       // 24
    le32 attributes; // 28
    le64 start;      // 32
    le64 length;     // 40
};
static_assert(sizeof(WireResource) == 48);

} // namespace tdshim::hob
