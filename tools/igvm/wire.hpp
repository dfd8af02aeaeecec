// SPDX-License-Identifier: Apache-2.0
//
// The Independent Guest Virtual Machine file format as it stands in a file [microsoft/igvm,
// igvm_defs 0.4: the version 1 format, and of version 2 what its fixed header adds]: a fixed
// header, variable headers that a loader obeys one by one, and the data that they name.
#pragma once

#include <cstdint>

#include "shim/base/bytes.hpp"

namespace tdshim::igvm {

inline constexpr std::uint32_t magic = 0x4D564749; // "IGVM"
inline constexpr std::uint32_t version_1 = 1;
inline constexpr std::uint32_t version_2 = 2;

struct FixedHeader {
    le32 magic;           // 0
    le32 version;         // 4
    le32 headers_offset;  // 8: of the variable headers in the file, a multiple of 8
    le32 headers_size;    // 12
    le32 total_file_size; // 16
    le32 checksum;        // 20: CRC-32 of fixed header, this being zero, and variable headers
};
static_assert(sizeof(FixedHeader) == 24);

/// Follows FixedHeader in version 2.
struct FixedHeaderTail {
    le32 architecture; // 24
    le32 page_size;    // 28
};
static_assert(sizeof(FixedHeaderTail) == 8);

inline constexpr std::uint32_t architecture_x64 = 0;

/// Precedes every variable header, at a multiple of 8.
struct VariableHeader {
    le32 type;   // 0
    le32 length; // 4: of what follows, without padding
};
static_assert(sizeof(VariableHeader) == 8);
inline constexpr std::uint64_t header_alignment = 8;

/// In a type: a loader that does not know the header may ignore it.
inline constexpr std::uint32_t type_optional = std::uint32_t{1} << 31;

/// The three kinds of headers, in the order in which they stand, by their last types.
inline constexpr std::uint32_t last_platform_type = 0x100;
inline constexpr std::uint32_t last_initialization_type = 0x200;

struct SupportedPlatformHeader {
    le32 mask;                  // 0: the bit by which other headers name this platform
    std::uint8_t highest_vtl;   // 4
    std::uint8_t platform_type; // 5
    le16 platform_version;      // 6
    le64 shared_gpa_boundary;   // 8: addresses from here on are shared with the host
};
static_assert(sizeof(SupportedPlatformHeader) == 16);

inline constexpr std::uint16_t platform_version = 1; // of every platform

struct GuestPolicyHeader {
    le64 policy;   // 0
    le32 mask;     // 8
    le32 reserved; // 12
};
static_assert(sizeof(GuestPolicyHeader) == 16);

inline constexpr std::uint64_t tdx_policy_debug = 1 << 0;
inline constexpr std::uint64_t tdx_policy_sept_ve_disable = 1 << 1;
inline constexpr std::uint64_t tdx_policy_migratable = 1 << 2;

struct ParameterAreaHeader {
    le64 size;        // 0: bytes
    le32 index;       // 8
    le32 file_offset; // 12: of its first content; 0: zeros
};
static_assert(sizeof(ParameterAreaHeader) == 16);

struct PageDataHeader {
    le64 gpa;         // 0
    le32 mask;        // 8
    le32 file_offset; // 12: 0: a page of zeros
    le32 flags;       // 16
    le16 data_type;   // 20
    le16 reserved;    // 22
};
static_assert(sizeof(PageDataHeader) == 24);

inline constexpr std::uint32_t page_is_2mb = 1 << 0;
inline constexpr std::uint32_t page_unmeasured = 1 << 1;
inline constexpr std::uint32_t page_shared = 1 << 2;
inline constexpr std::uint16_t page_type_normal = 0;
inline constexpr std::uint16_t last_page_type = 3; // secrets, CPUID data: SEV-SNP's

struct ParameterInsertHeader {
    le64 gpa;   // 0
    le32 mask;  // 8
    le32 index; // 12: of a parameter area
};
static_assert(sizeof(ParameterInsertHeader) == 16);

/// What the loader writes into a parameter area, and where; the type says what.
struct ParameterHeader {
    le32 index;       // 0
    le32 byte_offset; // 4
};
static_assert(sizeof(ParameterHeader) == 8);

struct VpContextHeader {
    le64 gpa;         // 0
    le32 mask;        // 8
    le32 file_offset; // 12
    le16 vp_index;    // 16
    le16 reserved;    // 18
};
static_assert(sizeof(VpContextHeader) == 20);

struct RequiredMemoryHeader {
    le64 gpa;      // 0
    le32 mask;     // 8
    le32 size;     // 12: bytes
    le32 flags;    // 16
    le32 reserved; // 20
};
static_assert(sizeof(RequiredMemoryHeader) == 24);

} // namespace tdshim::igvm
