// SPDX-License-Identifier: Apache-2.0
//
// UEFI tables as they stand in memory [UEFI 2.10, 4.2, 4.3, 4.5, 4.6, 7.2].
#pragma once

#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/base/guid.hpp"

namespace tdshim::efi {

using namespace tdshim::literals;

inline constexpr std::uint64_t system_table_signature = 0x5453'5953'2049'4249; // "IBI SYST"
inline constexpr std::uint32_t revision_2_100 = 2 << 16 | 100;

struct SystemTable {
    le64 signature;         // 0
    le32 revision;          // 8
    le32 header_size;       // 12
    le32 crc32;             // 16
    le32 reserved;          // 20
    le64 firmware_vendor;   // 24: UTF-16
    le32 firmware_revision; // 32
    le32 padding;           // 36
    std::array<le64, 6> consoles;
    le64 runtime_services;    // 88
    le64 boot_services;       // 96
    le64 table_count;         // 104
    le64 configuration_table; // 112
};
static_assert(sizeof(SystemTable) == 120);

inline constexpr std::uint64_t runtime_services_signature = 0x5652'4553'544E'5552; // "RUNTSERV"

/// The functions are addresses: four of the clock, SetVirtualAddressMap, ConvertPointer, three of
/// variables, the monotonic counter, ResetSystem, two of capsules, QueryVariableInfo.
struct RuntimeServices {
    le64 signature;   // 0
    le32 revision;    // 8
    le32 header_size; // 12
    le32 crc32;       // 16
    le32 reserved;    // 20
    std::array<le64, 14> functions;
};
static_assert(sizeof(RuntimeServices) == 136);
inline constexpr std::size_t set_virtual_address_map = 4;

struct ConfigurationTable {
    Guid guid;
    le64 table;
};
static_assert(sizeof(ConfigurationTable) == 24);

enum class MemoryType : std::uint32_t {
    reserved = 0,
    runtime_code = 5,
    runtime_data = 6,
    conventional = 7,
    acpi_reclaim = 9,
    acpi_nvs = 10,
    unaccepted = 15,
};

struct MemoryDescriptor {
    le32 type;    // 0
    le32 padding; // 4
    le64 start;   // 8
    le64 virtual_start;
    le64 pages;      // 24: of 4 KiB
    le64 attributes; // 32
};
static_assert(sizeof(MemoryDescriptor) == 40);
inline constexpr std::uint64_t attribute_write_back = 8;
inline constexpr std::uint64_t attribute_execute_protect = 0x4000;
inline constexpr std::uint64_t attribute_read_only = 0x2'0000;
inline constexpr std::uint64_t attribute_runtime = std::uint64_t{1} << 63;

/// Which runtime services there are: a bit for each function [4.6.2, EFI_RT_PROPERTIES_TABLE].
inline constexpr Guid runtime_properties_guid = "eb66918a-7eef-402a-842e-931d21c38ae9"_guid;
struct RuntimeProperties {
    le16 version; // 0: 1
    le16 length;  // 2: 8
    le32 supported;
};
static_assert(sizeof(RuntimeProperties) == 8);

/// What is code and what is data of the runtime memory; descriptors follow [4.6.4,
/// EFI_MEMORY_ATTRIBUTES_TABLE].
inline constexpr Guid memory_attributes_guid = "dcfa911d-26eb-469f-a220-38b7dc461220"_guid;
struct MemoryAttributes {
    le32 version; // 0: 1
    le32 count;   // 4
    le32 descriptor_size;
    le32 reserved;
};
static_assert(sizeof(MemoryAttributes) == 16);

/// A machine's SMBIOS 3.0 entry point [4.6.1].
inline constexpr Guid smbios3_guid = "f2fd1544-9794-4a2c-992e-e5bbcf20e394"_guid;

/// OVMF's log in memory, which Linux 6.17 and later show as /sys/firmware/efi/ovmf_debug_log; its
/// text follows [Linux drivers/firmware/efi/ovmf-debug-log.c; edk2 OvmfPkg, MemDebugLogLib].
inline constexpr Guid debug_log_guid = "95305139-b20f-4723-8425-627c888ff121"_guid;
struct DebugLog {
    le64 magic_1;     // 0: "ovmfmdg1"
    le64 magic_2;     // 8: "ovmfmdg2"
    le64 header_size; // 16: of this
    le64 room;        // 24: for text
    le64 lock;        // 32: nobody's
    le64 begin;       // 40: of the text, behind the header
    le64 end;         // 48
    le64 lost;        // 56: bytes
    std::array<char, 128> version;
};
static_assert(sizeof(DebugLog) == 192);
inline constexpr std::uint64_t debug_log_magic_1 = 0x3167'646D'666D'766F;
inline constexpr std::uint64_t debug_log_magic_2 = 0x3267'646D'666D'766F;

/// Linux's own configuration table; a bitmap with a bit for each unit follows.
inline constexpr Guid unaccepted_memory_guid = "d5d1de3c-105c-44f9-9ea9-bcef98120031"_guid;
struct UnacceptedMemory {
    le32 version;     // 0: 1
    le32 unit_size;   // 4
    le64 start;       // 8: of the first bit's unit
    le64 bitmap_size; // 16: bytes
};
static_assert(sizeof(UnacceptedMemory) == 24);

} // namespace tdshim::efi
