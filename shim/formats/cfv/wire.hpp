// SPDX-License-Identifier: Apache-2.0
//
// The configuration firmware volume: a PI firmware volume with raw files [UEFI PI 1.8, III-3.2],
// laid out as td-shim-enroll lays it out, with td-shim's trust anchor file [td-shim
// doc/secure_boot.md, "Trust Anchor in Td-Shim"] and a policy file of our own
// (specs/secure-boot.md).
#pragma once

#include <array>
#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/base/guid.hpp"
#include "shim/crypto/sha384.hpp"

namespace tdshim::cfv {

using namespace tdshim::literals;

/// EFI_FIRMWARE_FILE_SYSTEM3_GUID.
inline constexpr Guid file_system_guid = "5473c07a-3dcb-4dca-bd6f-1e9689e7349a"_guid;

struct VolumeHeader {
    std::array<std::byte, 16> zero; // 0
    Guid file_system;               // 16
    le64 length;                    // 32: of the volume
    le32 signature;                 // 40 "_FVH"
    le32 attributes;                // 44
    le16 header_length;             // 48: where the first file begins
    le16 checksum;                  // 50
    le16 extended_header;           // 52: offset
    std::uint8_t reserved;          // 54
    std::uint8_t revision;          // 55
};
static_assert(sizeof(VolumeHeader) == 56);

inline constexpr std::uint32_t volume_signature = 0x4856465F; // "_FVH"
inline constexpr std::uint8_t volume_revision = 2;

/// A run of blocks of one size; a run of no blocks ends the map.
struct BlockRun {
    le32 count;
    le32 size; // in bytes
};
static_assert(sizeof(BlockRun) == 8);

struct FileHeader {
    Guid name;                    // 0
    std::uint8_t header_checksum; // 16: makes the header's sum 0, with the next and `state` as 0
    std::uint8_t file_checksum;   // 17
    std::uint8_t type;            // 18
    std::uint8_t attributes;      // 19
    std::array<std::uint8_t, 3> length; // 20: of header and contents
    std::uint8_t state;                 // 23
};
static_assert(sizeof(FileHeader) == 24);

inline constexpr std::uint8_t file_type_raw = 0x01;
inline constexpr std::uint8_t file_type_pad = 0xF0;
inline constexpr std::uint8_t fixed_file_checksum = 0xAA; // FFS_FIXED_CHECKSUM
inline constexpr std::uint8_t file_is_valid = 0x07;       // header under construction, header, data
inline constexpr std::size_t file_alignment = 8;

struct ExtendedHeader {
    Guid name;
    le32 size;
};
static_assert(sizeof(ExtendedHeader) == 20);

/// File name and type of td-shim's trust anchor.
inline constexpr Guid anchor_file_guid = "77a2742e-9340-4ac9-8f85-b7b978580021"_guid;
inline constexpr Guid anchor_data_guid = "be8f65a3-a83b-415c-a1fb-f78e105e824e"_guid;

/// What the document describes; the hash follows.
struct AnchorHeader {
    Guid type;           // 0
    le32 version;        // 16
    le32 length;         // 20: of this and the hash
    le32 hash_algorithm; // 24
    le32 reserved;       // 28
};
static_assert(sizeof(AnchorHeader) == 32);

/// What td-shim-enroll writes and td-shim's firmware reads: eight bytes more, all zero, between
/// header and hash.
inline constexpr std::size_t anchor_padding = 8;
inline constexpr std::uint32_t anchor_version = 1;
inline constexpr std::uint32_t hash_algorithm_sha384 = 1;
inline constexpr std::size_t anchor_size =
    sizeof(AnchorHeader) + anchor_padding + crypto::sha384_size;
static_assert(anchor_size == 88);

/// File name of our policy, which is the type of its data too.
inline constexpr Guid policy_file_guid = "3838963b-9425-4fa2-ace9-c579c29ab4bf"_guid;
inline constexpr std::uint32_t policy_version = 1;

/// Then `keys` times KeyEntry; then digests of 48 bytes: revoked keys, revoked payloads, pinned
/// payloads, AML tables.
struct PolicyHeader {
    Guid type;             // 0
    le32 version;          // 16
    le32 length;           // 20: of this and all that follows
    le32 policy;           // 24
    le32 flags;            // 28
    le16 keys;             // 32: how many
    le16 revoked_keys;     // 34
    le16 revoked_payloads; // 36
    le16 pinned_payloads;  // 38
    le16 aml_tables;       // 40
    std::array<std::byte, 6> reserved;
};
static_assert(sizeof(PolicyHeader) == 48);

/// The number of the signing algorithm may be that of td-shim's tools (signed_payload::Numbering).
inline constexpr std::uint32_t flag_td_shim_numbering = 1 << 0;
inline constexpr std::uint32_t known_flags = flag_td_shim_numbering;

struct KeyEntry {
    crypto::Digest key; // 0: SHA-384 of modulus and exponent, or of x and y
    le64 minimum_svn;   // 48
    le32 kinds;         // 56: payload_ bits
    le32 algorithm;     // 60: signed_payload::Algorithm
};
static_assert(sizeof(KeyEntry) == 64);

inline constexpr std::uint32_t payload_executable = 1 << 0;
inline constexpr std::uint32_t payload_linux_bundle = 1 << 1;
inline constexpr std::uint32_t all_payloads = payload_executable | payload_linux_bundle;

inline constexpr std::size_t max_keys = 16;
inline constexpr std::size_t max_digests = 256; ///< of each list

} // namespace tdshim::cfv
