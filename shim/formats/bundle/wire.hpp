// SPDX-License-Identifier: Apache-2.0
//
// A Linux bundle: a cpio archive in the "new ASCII" format [Linux
// Documentation/driver-api/early-userspace/buffer-format.rst], of which every header has exactly
// one form, so that the same files always make the same bundle (specs/secure-boot.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "shim/base/bytes.hpp"

namespace tdshim::bundle {

inline constexpr std::string_view magic = "070701";

/// A number of 32 bits as eight upper-case hexadecimal digits, which is how GNU cpio writes them.
using Digits = std::array<char, 8>;

enum Field : std::size_t {
    field_inode,
    field_mode,
    field_user,
    field_group,
    field_links,
    field_time,
    field_size, ///< of the contents
    field_device_major,
    field_device_minor,
    field_special_major,
    field_special_minor,
    field_name_size, ///< with its NUL
    field_check,
    field_count,
};

/// The name and its NUL follow, then the contents, each filled up with zeros to `alignment`.
struct Header {
    std::array<char, magic.size()> magic;   // 0
    std::array<Digits, field_count> fields; // 6
};
static_assert(sizeof(Header) == 110);
inline constexpr std::size_t alignment = 4;

[[nodiscard]] constexpr std::size_t offset_of(Field field) {
    return offsetof(Header, fields) + field * sizeof(Digits);
}

/// In the order in which they stand in the file.
enum Member : std::size_t {
    member_manifest,
    member_kernel,
    member_initrd,
    member_command_line,
    member_events,
    member_count,
    trailer = member_count, ///< the entry that ends the archive
};

inline constexpr std::array<std::string_view, member_count + 1> names{
    "manifest", "kernel", "initrd", "cmdline", "events", "TRAILER!!!"};
inline constexpr std::size_t max_name_size = names[trailer].size() + 1;

inline constexpr std::size_t max_manifest = 512;
inline constexpr std::size_t max_command_line = 4096;
inline constexpr std::size_t max_events_file = 8192;

/// Bytes that the contents of a member may have; none is empty.
inline constexpr std::array<std::uint32_t, member_count> max_sizes{
    max_manifest, std::numeric_limits<std::uint32_t>::max(),
    std::numeric_limits<std::uint32_t>::max(), max_command_line, max_events_file};

using Values = std::array<std::uint32_t, field_count>;

/// All that the header of `member`, or of the trailer, says: owner and times are nobody's.
[[nodiscard]] constexpr Values values_of(std::size_t member, std::uint32_t size) {
    constexpr std::uint32_t regular_file = 0100644;
    Values values{};
    values[field_mode] = member == trailer ? 0 : regular_file;
    values[field_links] = 1;
    values[field_size] = size;
    values[field_name_size] = static_cast<std::uint32_t>(names[member].size() + 1);
    return values;
}

} // namespace tdshim::bundle
