// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/cfv/builder.hpp"

#include <algorithm>
#include <limits>

#include "shim/base/checked.hpp"

namespace tdshim::cfv {
namespace {

constexpr std::uint32_t block_size = 4096;
constexpr std::uint32_t td_shim_attributes = 0x0004F6FF;
constexpr std::size_t extended_header_at = 0x60;

/// Everything in front of the first file, as td-shim-enroll writes it: the block map, a pad file
/// (without checksums) around the extended header, padding.
struct VolumeStart {
    VolumeHeader header;
    std::array<BlockRun, 2> blocks;
    FileHeader pad;
    ExtendedHeader extended;
    std::array<std::byte, 4> padding;
};
static_assert(sizeof(VolumeStart) == 0x78);
static_assert(offsetof(VolumeStart, extended) == extended_header_at);

std::uint16_t checksum_of(const VolumeHeader& header) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < sizeof(header); i += 2)
        sum += read_at<le16>(bytes_of(header), i).value_or(0);
    return static_cast<std::uint16_t>(-sum);
}

VolumeStart start_of(std::uint64_t size) {
    VolumeStart start{};
    start.header.file_system = file_system_guid;
    start.header.length = size;
    start.header.signature = volume_signature;
    start.header.attributes = td_shim_attributes;
    start.header.header_length = sizeof(VolumeStart);
    start.header.extended_header = extended_header_at;
    start.header.revision = volume_revision;
    start.header.checksum = checksum_of(start.header);
    start.blocks[0] = {static_cast<std::uint32_t>(size / block_size), block_size};
    start.pad.type = file_type_pad;
    start.pad.length[0] = sizeof(FileHeader) + sizeof(ExtendedHeader);
    start.pad.state = file_is_valid;
    start.extended.size = sizeof(ExtendedHeader);
    return start;
}

FileHeader file_header(const Guid& name, std::size_t contents_size) {
    const std::size_t length = sizeof(FileHeader) + contents_size;
    FileHeader header{.name = name,
                      .header_checksum = 0,
                      .file_checksum = 0,
                      .type = file_type_raw,
                      .attributes = 0,
                      .length = {static_cast<std::uint8_t>(length),
                                 static_cast<std::uint8_t>(length >> 8),
                                 static_cast<std::uint8_t>(length >> 16)},
                      .state = 0};
    std::uint8_t sum = 0;
    for (const std::byte byte : bytes_of(header))
        sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
    header.header_checksum = static_cast<std::uint8_t>(-sum);
    header.file_checksum = fixed_file_checksum;
    header.state = file_is_valid;
    return header;
}

AnchorHeader anchor_header() {
    return {.type = anchor_data_guid,
            .version = anchor_version,
            .length = anchor_size,
            .hash_algorithm = hash_algorithm_sha384,
            .reserved = 0};
}

bool put_anchor(Writer& writer, const crypto::Digest& anchor) {
    constexpr std::array<std::byte, anchor_padding> padding{};
    return writer.put(file_header(anchor_file_guid, anchor_size)) && writer.put(anchor_header()) &&
           writer.put(padding) && writer.put(anchor);
}

std::uint64_t size_of(const PolicyContents& policy) {
    const std::uint64_t digests = policy.revoked_keys.size() + policy.revoked_payloads.size() +
                                  policy.pinned_payloads.size() + policy.aml_tables.size();
    return sizeof(PolicyHeader) + policy.keys.size_bytes() + digests * crypto::sha384_size;
}

PolicyHeader policy_header(const PolicyContents& policy) {
    return {.type = policy_file_guid,
            .version = policy_version,
            .length = static_cast<std::uint32_t>(size_of(policy)),
            .policy = static_cast<std::uint32_t>(policy.policy),
            .flags = policy.takes_td_shim_numbering ? flag_td_shim_numbering : 0,
            .keys = static_cast<std::uint16_t>(policy.keys.size()),
            .revoked_keys = static_cast<std::uint16_t>(policy.revoked_keys.size()),
            .revoked_payloads = static_cast<std::uint16_t>(policy.revoked_payloads.size()),
            .pinned_payloads = static_cast<std::uint16_t>(policy.pinned_payloads.size()),
            .aml_tables = static_cast<std::uint16_t>(policy.aml_tables.size()),
            .reserved = {}};
}

bool put_policy(Writer& writer, const PolicyContents& policy) {
    return writer.put(file_header(policy_file_guid, size_of(policy))) &&
           writer.put(policy_header(policy)) && writer.put(std::as_bytes(policy.keys)) &&
           writer.put(std::as_bytes(policy.revoked_keys)) &&
           writer.put(std::as_bytes(policy.revoked_payloads)) &&
           writer.put(std::as_bytes(policy.pinned_payloads)) &&
           writer.put(std::as_bytes(policy.aml_tables));
}

Result<void> check_counts(const PolicyContents& policy) {
    if (policy.keys.size() > max_keys)
        return refuse(Fault::policy_entries, 0, max_keys, policy.keys.size());
    const std::size_t most = std::max({policy.revoked_keys.size(), policy.revoked_payloads.size(),
                                       policy.pinned_payloads.size(), policy.aml_tables.size()});
    if (most > max_digests)
        return refuse(Fault::policy_entries, 0, max_digests, most);
    return {};
}

} // namespace

Result<void> write(MutableBytes volume, const std::optional<crypto::Digest>& anchor,
                   const std::optional<PolicyContents>& policy) {
    if (volume.empty() || !is_aligned(volume.size(), block_size))
        return refuse(Fault::cfv_volume_length, 0, block_size, volume.size());
    if (policy)
        TRY(check_counts(*policy));
    std::ranges::fill(volume, std::byte{0});
    Writer writer(volume);
    // Header and anchor have multiples of eight bytes, so that the policy begins on one.
    static_assert((sizeof(FileHeader) + anchor_size) % file_alignment == 0);
    const bool fits = writer.put(start_of(volume.size())) &&
                      (!anchor || put_anchor(writer, *anchor)) &&
                      (!policy || put_policy(writer, *policy));
    if (!fits)
        return refuse(Fault::cfv_full, 0, volume.size(), policy ? size_of(*policy) : anchor_size);
    return {};
}

} // namespace tdshim::cfv
