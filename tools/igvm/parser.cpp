// SPDX-License-Identifier: Apache-2.0
//
// Fixed header, checksum, the walk over the variable headers, and those before the directives.

#include <algorithm>
#include <bit>
#include <cstddef>

#include "tools/igvm/crc32.hpp"
#include "tools/igvm/headers.hpp"

namespace tdshim::igvm {
namespace {

/// Bytes of the fixed header of this version. Errors: igvm_version, igvm_architecture.
Result<std::uint32_t> fixed_size(const FixedHeader& fixed, Bytes bytes) {
    if (fixed.version == version_1)
        return sizeof(FixedHeader);
    if (fixed.version != version_2)
        return refuse(Fault::igvm_version, offsetof(FixedHeader, version), version_2,
                      fixed.version);
    const auto tail = TRY(read_at<FixedHeaderTail>(bytes, sizeof(FixedHeader)));
    if (tail.architecture != architecture_x64)
        return refuse(Fault::igvm_architecture,
                      sizeof(FixedHeader) + offsetof(FixedHeaderTail, architecture),
                      architecture_x64, tail.architecture);
    if (tail.page_size != page_size)
        return refuse(Fault::igvm_architecture,
                      sizeof(FixedHeader) + offsetof(FixedHeaderTail, page_size), page_size,
                      tail.page_size);
    return sizeof(FixedHeader) + sizeof(FixedHeaderTail);
}

Result<void> check_headers_place(const FixedHeader& fixed, std::uint32_t size, Bytes bytes) {
    constexpr std::uint64_t at = offsetof(FixedHeader, headers_offset);
    if (fixed.headers_offset < size)
        return refuse(Fault::igvm_headers_place, at, size, fixed.headers_offset);
    if (!is_aligned(fixed.headers_offset, header_alignment))
        return refuse(Fault::igvm_headers_place, at,
                      align_down(fixed.headers_offset, header_alignment), fixed.headers_offset);
    if (fixed.headers_offset > bytes.size())
        return refuse(Fault::igvm_headers_place, at, bytes.size(), fixed.headers_offset);
    const std::uint64_t room = bytes.size() - fixed.headers_offset;
    if (fixed.headers_size > room || !is_aligned(fixed.headers_size, header_alignment))
        return refuse(Fault::igvm_headers_place, offsetof(FixedHeader, headers_size),
                      align_down(room, header_alignment), fixed.headers_size);
    return {};
}

/// What stands between fixed and variable headers does not count.
std::uint32_t checksum_of(const FixedHeader& fixed, std::uint32_t size, Bytes bytes) {
    FixedHeader unsigned_header = fixed;
    unsigned_header.checksum = 0;
    Crc32 checksum;
    checksum.update(bytes_of(unsigned_header));
    checksum.update(bytes.subspan(sizeof(FixedHeader), size - sizeof(FixedHeader)));
    checksum.update(bytes.subspan(fixed.headers_offset, fixed.headers_size));
    return checksum.value();
}

Result<File> read_fixed_header(Bytes bytes) {
    const auto fixed = TRY(read_at<FixedHeader>(bytes, 0));
    if (fixed.magic != magic)
        return refuse(Fault::igvm_magic, 0, magic, fixed.magic);
    const std::uint32_t size = TRY(fixed_size(fixed, bytes));
    if (fixed.total_file_size != bytes.size())
        return refuse(Fault::igvm_file_size, offsetof(FixedHeader, total_file_size), bytes.size(),
                      fixed.total_file_size);
    TRY(check_headers_place(fixed, size, bytes));
    const std::uint32_t checksum = checksum_of(fixed, size, bytes);
    if (fixed.checksum != checksum)
        return refuse(Fault::igvm_checksum, offsetof(FixedHeader, checksum), checksum,
                      fixed.checksum);
    File file;
    file.bytes = bytes;
    file.version = fixed.version;
    file.headers_offset = fixed.headers_offset;
    file.headers_size = fixed.headers_size;
    file.checksum = fixed.checksum;
    return file;
}

Result<Platform> read_platform(const File& file, const Header& header) {
    const auto wire = TRY(header.as<SupportedPlatformHeader>());
    const std::uint64_t type_at = header.at(offsetof(SupportedPlatformHeader, platform_type));
    if (wire.platform_type > last_platform)
        return refuse(Fault::igvm_platform, type_at, last_platform, wire.platform_type);
    if (wire.platform_version != platform_version)
        return refuse(Fault::igvm_platform,
                      header.at(offsetof(SupportedPlatformHeader, platform_version)),
                      platform_version, wire.platform_version);
    const Platform platform{.mask = wire.mask,
                            .type = PlatformType{wire.platform_type},
                            .version = wire.platform_version,
                            .highest_vtl = wire.highest_vtl,
                            .shared_gpa_boundary = wire.shared_gpa_boundary};
    std::uint32_t taken = 0;
    for (const Platform& other : file.platforms) {
        taken |= other.mask;
        if (other.type == platform.type)
            return refuse(Fault::igvm_platform, type_at, 0, wire.platform_type);
    }
    if (!std::has_single_bit(platform.mask) || (platform.mask & taken) != 0)
        return refuse(Fault::igvm_platform_mask, header.at(offsetof(SupportedPlatformHeader, mask)),
                      ~taken, platform.mask);
    return platform;
}

Result<GuestPolicy> read_policy(const File& file, const Header& header) {
    const auto wire = TRY(header.as<GuestPolicyHeader>());
    TRY(check_mask(file, wire.mask, header.at(offsetof(GuestPolicyHeader, mask))));
    if (wire.reserved != 0)
        return refuse(Fault::igvm_reserved, header.at(offsetof(GuestPolicyHeader, reserved)), 0,
                      wire.reserved);
    return GuestPolicy{.mask = wire.mask, .policy = wire.policy};
}

/// The header at `offset` of the file, and zeros up to the next one.
Result<Header> read_header(const File& file, std::uint64_t offset) {
    const std::uint64_t end = std::uint64_t{file.headers_offset} + file.headers_size;
    const auto wire = TRY(read_at<VariableHeader>(file.bytes.first(end), offset));
    const std::uint64_t content = offset + sizeof(VariableHeader);
    // Both ends are aligned: where the content fits, its padding does.
    if (wire.length > end - content)
        return refuse(Fault::igvm_header_length, offset + offsetof(VariableHeader, length),
                      end - content, wire.length);
    for (std::uint64_t at = content + wire.length; !is_aligned(at, header_alignment); ++at)
        if (file.bytes[at] != std::byte{0})
            return refuse(Fault::igvm_padding, at, 0,
                          std::to_integer<std::uint64_t>(file.bytes[at]));
    return Header{
        .offset = offset, .type = wire.type, .content = file.bytes.subspan(content, wire.length)};
}

enum class Stage { platforms, initializations, directives };

Stage stage_of(HeaderType type) {
    const auto number = static_cast<std::uint32_t>(type);
    return number <= last_platform_type         ? Stage::platforms
           : number <= last_initialization_type ? Stage::initializations
                                                : Stage::directives;
}

Result<void> read_initialization(File& file, const Header& header) {
    if (header.known_type() == HeaderType::guest_policy)
        file.policies.push_back(TRY(read_policy(file, header)));
    else
        file.initializations.push_back(
            {.type = header.type, .length = static_cast<std::uint32_t>(header.content.size())});
    return {};
}

Result<void> read_headers(File& file) {
    Stage stage = Stage::platforms;
    std::optional<DirectiveReader> directives;
    std::uint64_t offset = file.headers_offset;
    const std::uint64_t end = offset + file.headers_size;
    while (offset < end) {
        const Header header = TRY(read_header(file, offset));
        const Stage next = stage_of(header.known_type());
        if (name_of(header.known_type()).empty() && (header.type & type_optional) == 0)
            return refuse(Fault::igvm_header_type, offset, 0, header.type);
        if (next < stage)
            return refuse(Fault::igvm_header_order, offset, 0, header.type);
        stage = next;
        switch (stage) {
        case Stage::platforms:
            if (header.known_type() == HeaderType::supported_platform)
                file.platforms.push_back(TRY(read_platform(file, header)));
            break;
        case Stage::initializations: TRY(read_initialization(file, header)); break;
        case Stage::directives:
            if (!directives)
                directives.emplace(file);
            file.directives.push_back(TRY(directives->read(header)));
            break;
        }
        offset = header.at(*align_up(header.content.size(), header_alignment));
    }
    return {};
}

} // namespace

Result<void> check_mask(const File& file, std::uint32_t mask, std::uint64_t at) {
    std::uint32_t known = 0;
    for (const Platform& platform : file.platforms)
        known |= platform.mask;
    if (mask == 0 || (mask & ~known) != 0)
        return refuse(Fault::igvm_mask, at, known, mask);
    return {};
}

Result<File> parse(Bytes bytes) {
    File file = TRY(read_fixed_header(bytes));
    TRY(read_headers(file));
    TRY(check_apart(file));
    return file;
}

} // namespace tdshim::igvm
