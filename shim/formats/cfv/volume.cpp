// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/cfv/volume.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "shim/base/checked.hpp"
#include "shim/formats/cfv/wire.hpp"

namespace tdshim::cfv {
namespace {

constexpr std::uint8_t unsupported_attributes = 0x41; // large file, checksum over the contents
constexpr std::uint64_t least_header = sizeof(VolumeHeader) + sizeof(BlockRun);

bool is_all(Bytes bytes, std::byte value) {
    return std::ranges::all_of(bytes, [value](std::byte byte) { return byte == value; });
}

/// Whether the 16-bit words of `bytes`, an even number, add up to zero.
bool sums_to_zero(Bytes bytes) {
    std::uint16_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2)
        sum = static_cast<std::uint16_t>(sum + std::to_integer<unsigned>(bytes[i]) +
                                         (std::to_integer<unsigned>(bytes[i + 1]) << 8));
    return sum == 0;
}

Result<VolumeHeader> read_header(Bytes volume) {
    const auto header = TRY(read_at<VolumeHeader>(volume, 0));
    if (header.signature != volume_signature)
        return refuse(Fault::cfv_volume_signature, offsetof(VolumeHeader, signature),
                      volume_signature, header.signature);
    if (!is_all(header.zero, std::byte{0}) || header.reserved != 0)
        return refuse(Fault::cfv_volume_reserved);
    if (header.file_system != file_system_guid)
        return refuse(Fault::cfv_volume_file_system, offsetof(VolumeHeader, file_system));
    if (header.revision != volume_revision)
        return refuse(Fault::cfv_volume_revision, offsetof(VolumeHeader, revision), volume_revision,
                      header.revision);
    if (header.length != volume.size())
        return refuse(Fault::cfv_volume_length, offsetof(VolumeHeader, length), volume.size(),
                      header.length);
    if (header.header_length < least_header || header.header_length > volume.size() ||
        !is_aligned(header.header_length, file_alignment))
        return refuse(Fault::cfv_volume_header_length, offsetof(VolumeHeader, header_length),
                      least_header, header.header_length);
    if (!sums_to_zero(volume.first(sizeof(VolumeHeader))) &&
        !sums_to_zero(volume.first(header.header_length)))
        return refuse(Fault::cfv_volume_checksum, offsetof(VolumeHeader, checksum));
    return header;
}

std::uint32_t length_of(const FileHeader& header) {
    return header.length[0] | std::uint32_t{header.length[1]} << 8 |
           std::uint32_t{header.length[2]} << 16;
}

Result<void> check(const FileHeader& header, std::size_t at, std::size_t left) {
    std::uint8_t sum = 0;
    for (const std::byte byte : bytes_of(header))
        sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
    sum = static_cast<std::uint8_t>(sum - header.file_checksum - header.state);
    if (sum != 0 || header.file_checksum != fixed_file_checksum)
        return refuse(Fault::cfv_file_checksum, at + offsetof(FileHeader, header_checksum));
    if (header.state != file_is_valid)
        return refuse(Fault::cfv_file_state, at + offsetof(FileHeader, state), file_is_valid,
                      header.state);
    if ((header.attributes & unsupported_attributes) != 0)
        return refuse(Fault::cfv_file_attributes, at + offsetof(FileHeader, attributes), 0,
                      header.attributes);
    const std::uint32_t length = length_of(header);
    if (length < sizeof(FileHeader) || length > left)
        return refuse(Fault::cfv_file_length, at + offsetof(FileHeader, length),
                      length < sizeof(FileHeader) ? sizeof(FileHeader) : left, length);
    return {};
}

Result<void> take(Files& files, const FileHeader& header, std::size_t at, Bytes contents) {
    const bool is_anchor = header.name == anchor_file_guid;
    if (header.type == file_type_pad || (!is_anchor && header.name != policy_file_guid))
        return {};
    if (header.type != file_type_raw)
        return refuse(Fault::cfv_file_type, at + offsetof(FileHeader, type), file_type_raw,
                      header.type);
    Bytes& slot = is_anchor ? files.anchor : files.policy;
    if (!slot.empty())
        return refuse(Fault::cfv_file_twice, at);
    if (contents.empty())
        return refuse(Fault::cfv_file_length, at + offsetof(FileHeader, length),
                      sizeof(FileHeader) + 1, sizeof(FileHeader));
    slot = contents;
    return {};
}

bool is_free(Bytes rest) {
    return is_all(rest, std::byte{0}) || is_all(rest, std::byte{0xFF});
}

} // namespace

bool is_blank(Bytes volume) {
    return is_all(volume, std::byte{0});
}

Result<Files> read_files(Bytes volume) {
    const VolumeHeader header = TRY(read_header(volume));
    Files files;
    std::size_t at = header.header_length;
    while (volume.size() - at >= sizeof(FileHeader)) {
        const Bytes rest = volume.subspan(at);
        if (const Bytes head = rest.first(sizeof(FileHeader)); is_free(head))
            break;
        const auto file = TRY(read_at<FileHeader>(rest, 0));
        TRY(check(file, at, rest.size()));
        const std::uint32_t length = length_of(file);
        TRY(take(files, file, at, rest.first(length).subspan(sizeof(FileHeader))));
        const std::uint64_t next = (length + file_alignment - 1) & ~(file_alignment - 1);
        at += std::min<std::size_t>(next, rest.size());
    }
    if (!is_free(volume.subspan(at)))
        return refuse(Fault::cfv_free_space, at);
    return files;
}

} // namespace tdshim::cfv
