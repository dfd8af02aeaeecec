// SPDX-License-Identifier: Apache-2.0
//
// TDX metadata of a firmware image and the two ways to find it [Intel TDX Virtual Firmware Design
// Guide, 11; td-shim specification 0.7, part I; QEMU hw/i386/pc_sysfw_ovmf.c].
#pragma once

#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/base/guid.hpp"

namespace tdshim::tdvf {

using namespace tdshim::literals;

/// Precedes the descriptor; not counted in its length.
inline constexpr Guid metadata_guid = "e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae"_guid;
/// Footer of the GUIDed table: it stands 48 bytes before the end of the image.
inline constexpr Guid footer_guid = "96b582de-1fb2-45f7-baea-a366c55a082d"_guid;
/// Table entry whose data is a le32: the distance from the image's end back to the descriptor.
inline constexpr Guid metadata_entry_guid = "e47a6535-984a-4798-865e-4685a7bf8ec2"_guid;
/// Table entry of ours, whose data is an ImageInfo.
inline constexpr Guid image_info_entry_guid = "6f1d3b1c-5a0e-4c53-9f63-6b2f5d0c7a91"_guid;

/// Bytes between the footer GUID's end and the image's end: the reset vector and what precedes it.
inline constexpr std::uint32_t footer_tail = 0x20;
/// A le32 at this distance from the image's end: offset of the descriptor from the image's start.
inline constexpr std::uint32_t legacy_pointer_from_end = 0x20;

struct Descriptor {
    le32 signature; // 0 "TDVF"
    le32 length;    // 4: of descriptor and sections
    le32 version;   // 8
    le32 sections;  // 12
};
static_assert(sizeof(Descriptor) == 16);

inline constexpr std::uint32_t descriptor_signature = 0x46564454; // "TDVF"
inline constexpr std::uint32_t descriptor_version = 1;

struct SectionEntry {
    le32 data_offset;    // 0: in the image
    le32 raw_size;       // 4: bytes in the image
    le64 memory_address; // 8: GPA
    le64 memory_size;    // 16
    le32 type;           // 24
    le32 attributes;     // 28
};
static_assert(sizeof(SectionEntry) == 32);

/// Follows the data of each entry of the GUIDed table, whose entries grow downwards.
struct TableEntryTail {
    le16 length; // of data and this
    Guid guid;
};
static_assert(sizeof(TableEntryTail) == 18);

/// Begins the data of a TD_INFO section [td-shim specification 0.7, part I, table 1.1-5].
struct TdInfoHeader {
    Guid guid;
    le32 length;  // 16: with this header and what follows it
    le32 version; // 20
    le32 svn;     // 24
};
static_assert(sizeof(TdInfoHeader) == 28);

/// What shim-ld tells the shim about the image that it was linked into.
struct ImageInfo {
    le32 image_size;       // 0
    le32 payload_from_end; // 4: distance from the image's end back to the payload; 0: none
    le32 payload_size;     // 8
    le32 options;          // 12: option_ bits; a firmware refuses those that it does not know
};
static_assert(sizeof(ImageInfo) == 16);

/// The TD HOB is validated and not measured: registers do not depend on the machine's shape.
inline constexpr std::uint32_t option_portable = 1 << 0;
/// The VMM's ACPI tables are left alone; the firmware makes its own.
inline constexpr std::uint32_t option_static_acpi = 1 << 1;
/// As td-shim measures: all of the Payload and PayloadParam sections with the padding, and for
/// Linux the separators before the payload.
inline constexpr std::uint32_t option_region_digests = 1 << 2;
/// Two bits for an AmlPolicy (aml_policy.hpp), which leaves no choice where ACPI is static.
inline constexpr unsigned option_aml_shift = 3;
inline constexpr std::uint32_t option_aml_mask = 3 << option_aml_shift;
/// The console shows why a boot ends and nothing else.
inline constexpr std::uint32_t option_quiet = 1 << 5;
inline constexpr std::uint32_t known_options =
    option_portable | option_static_acpi | option_region_digests | option_aml_mask | option_quiet;

} // namespace tdshim::tdvf
