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

/// A HOB for who knows its GUID; its data follows.
struct GuidHeader {
    HobHeader header;
    Guid name; // 8
};
static_assert(sizeof(GuidHeader) == 24);

using namespace tdshim::literals;

/// Data: one ACPI table [td-shim specification 0.7, part II].
inline constexpr Guid acpi_table_guid = "6a0c5870-d4ed-44f4-a135-dd238b6f0c8d"_guid;
/// Data: PayloadInfo.
inline constexpr Guid payload_info_guid = "b96fa412-461f-4be3-8c0d-ad805a497ac0"_guid;

/// What the VMM put into the payload section.
struct PayloadInfo {
    le32 image_type; // 0
    le32 reserved;   // 4
    le64 entry;      // 8
};
static_assert(sizeof(PayloadInfo) == 16);

/// The same as Cloud Hypervisor sends it [vmm/src/vm.rs], without the reserved word.
struct PackedPayloadInfo {
    le32 image_type; // 0
    le64 entry;      // 4
};
static_assert(sizeof(PackedPayloadInfo) == 12);

// Image types. From 2 on the specification and td-shim's code number differently: in the code 2 is
// a raw vmlinux, in the specification a vmlinux file, and 3 a raw vmlinux. What stands in memory
// tells them apart.
inline constexpr std::uint32_t image_type_executable = 0;
inline constexpr std::uint32_t image_type_bzimage = 1;
inline constexpr std::uint32_t image_type_vmlinux = 2;
inline constexpr std::uint32_t image_type_raw_vmlinux = 3;

/// Data: InitrdInfo. Ours: the specification knows no initrd.
inline constexpr Guid initrd_info_guid = "a1c74c2f-3b0e-4c57-9d57-5d6a3f0be2d4"_guid;

/// Where in the payload section the VMM put an initrd.
struct InitrdInfo {
    le64 address; // 0: GPA
    le64 size;    // 8: bytes
};
static_assert(sizeof(InitrdInfo) == 16);

/// Data: the E820 table, as e820::WireEntry [td-shim specification 0.7, part II].
inline constexpr Guid e820_table_guid = "8f8072ea-3486-4b47-86a7-2353b88a8773"_guid;

} // namespace tdshim::hob
