// SPDX-License-Identifier: Apache-2.0
//
// The confidential-computing event log as it stands in memory: the TCG crypto-agile format [TCG PC
// Client Platform Firmware Profile 1.05, 10] with MrIndex in place of the PCR index [td-shim
// specification 0.7, 3.5], one SHA-384 digest an event.
#pragma once

#include <array>
#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/crypto/sha384.hpp"

namespace tdshim::event_log {

/// Number of a measurement register in the log: 0 is MRTD, n is RTMR[n - 1].
inline constexpr std::uint32_t mr_index_of_rtmr(std::uint32_t rtmr) {
    return rtmr + 1;
}
inline constexpr std::uint32_t max_mr_index = 4;
/// MrIndex where the log ends before its area does: the unused tail is filled with 0xFF. In logs of
/// td-shim's it is zero; then nothing but zeros, eight at least, end the log.
inline constexpr std::uint32_t end_of_log = 0xFFFFFFFF;

enum class EventType : std::uint32_t {
    no_action = 0x3,
    separator = 0x4,
    event_tag = 0x6,
    platform_config_flags = 0xA,
    ipl = 0xD,
    platform_firmware_blob2 = 0x8000000A,
};

inline constexpr std::uint16_t algorithm_sha384 = 0x000C; // TPM_ALG_SHA384

/// The first event of the log: TCG_PCClientPCREvent.
struct FirstEvent {
    le32 index;                       // 0
    le32 type;                        // 4: no_action
    std::array<std::byte, 20> digest; // 8: zero
    le32 size;                        // 28
};
static_assert(sizeof(FirstEvent) == 32);

/// TCG_EfiSpecIDEvent for one algorithm, without the vendor information that follows it.
struct SpecId {
    std::array<char, 16> signature; // 0 "Spec ID Event03\0"
    le32 platform_class;            // 16
    std::uint8_t version_minor;     // 20
    std::uint8_t version_major;     // 21
    std::uint8_t errata;            // 22
    std::uint8_t uintn_size;        // 23: 2 for 64 bits
    le32 algorithm_count;           // 24
    le16 algorithm;                 // 28
    le16 digest_size;               // 30
    std::uint8_t vendor_info_size;  // 32
};
static_assert(sizeof(SpecId) == 33);

/// The vendor information of our logs: td-shim's name [td-shim specification 0.7, 3.5, guideline
/// 5], and how far the log reaches, so that nobody need send the whole area. Other readers skip it.
struct VendorInfo {
    std::array<char, 8> name; // 0 "td_shim\0"
    le32 used;                // 8: bytes of the log up to the end of its last event
};
static_assert(sizeof(VendorInfo) == 12);
inline constexpr std::array<char, 8> vendor_name{'t', 'd', '_', 's', 'h', 'i', 'm', '\0'};

inline constexpr std::array<char, 16> spec_id_signature{'S', 'p', 'e', 'c', ' ', 'I', 'D', ' ',
                                                        'E', 'v', 'e', 'n', 't', '0', '3', '\0'};

/// CC_EVENT with one SHA-384 digest, without the data that follows it.
struct EventHeader {
    le32 mr_index;         // 0
    le32 type;             // 4
    le32 digest_count;     // 8
    le16 algorithm;        // 12
    crypto::Digest digest; // 14
    le32 size;             // 62
};
static_assert(sizeof(EventHeader) == 66);

/// TD_SHIM_PLATFORM_CONFIG_INFO, without the information that follows it.
struct ConfigInfo {
    std::array<char, 16> descriptor; // 0, zero-padded
    le32 length;                     // 16
};
static_assert(sizeof(ConfigInfo) == 20);

/// TCG_PCClientTaggedEvent, without the data that follows it [TCG PC Client Platform Firmware
/// Profile 1.05, 10.2.6]. Readers take any bytes behind it, where they want text of other types.
struct TaggedEvent {
    le32 id;   // 0
    le32 size; // 4: of the data
};
static_assert(sizeof(TaggedEvent) == 8);
inline constexpr std::uint32_t tag_of_ours = 0x48534454; // "TDSH" in the log
/// What stands in front of `size` bytes of ours. The digest of such an event is that of both.
[[nodiscard]] inline constexpr TaggedEvent tag_of(std::size_t size) {
    return {.id = tag_of_ours, .size = static_cast<std::uint32_t>(size)};
}

/// What follows the description in UEFI_PLATFORM_FIRMWARE_BLOB2.
struct BlobRange {
    le64 base;   // 0
    le64 length; // 8
};
static_assert(sizeof(BlobRange) == 16);

} // namespace tdshim::event_log
