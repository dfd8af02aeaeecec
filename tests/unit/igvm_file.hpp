// SPDX-License-Identifier: Apache-2.0
//
// IGVM files for the tests of tools/igvm, put together from the numbers of the definitions, not by
// the writer.
#pragma once

#include "tests/unit/support.hpp"

namespace tdshim::test {

/// CRC-32 bit by bit.
[[nodiscard]] inline std::uint32_t crc32_of(Bytes bytes) {
    std::uint32_t state = 0xFFFFFFFF;
    for (const std::byte byte : bytes) {
        state ^= std::to_integer<std::uint32_t>(byte);
        for (int bit = 0; bit < 8; ++bit)
            state = (state & 1) != 0 ? (state >> 1) ^ 0xEDB88320 : state >> 1;
    }
    return ~state;
}

/// Sets the checksum of a file whose variable headers follow the fixed one at once.
inline Blob& sign(Blob& file) {
    file.patch(20, 4, 0);
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < 4; ++i)
        size |= std::to_integer<std::uint64_t>(file.view()[12 + i]) << (8 * i);
    return file.patch(20, 4, crc32_of(file.view().first(24 + size)));
}

/// A version 1 file of variable headers and data.
[[nodiscard]] inline Blob igvm_of(const Blob& headers, const Blob& data) {
    Blob file;
    file.text("IGVM").u32(1).u32(24).u32(headers.size());
    file.u32(24 + headers.size() + data.size()).u32(0);
    file.bytes(headers.view()).bytes(data.view());
    return sign(file);
}

[[nodiscard]] inline Blob platform_header(std::uint32_t mask = 1, unsigned type = 3) {
    return Blob().u32(0x1).u32(16).u32(mask).u8(0).u8(type).u16(1).u64(std::uint64_t{1} << 47);
}
[[nodiscard]] inline Blob page_header(std::uint64_t gpa, std::uint64_t data, unsigned flags,
                                      std::uint32_t mask = 1, unsigned type = 0) {
    return Blob().u32(0x302).u32(24).u64(gpa).u32(mask).u32(data).u32(flags).u16(type).u16(0);
}
[[nodiscard]] inline Blob area_header(std::uint64_t size, std::uint32_t index) {
    return Blob().u32(0x301).u32(16).u64(size).u32(index).u32(0);
}
[[nodiscard]] inline Blob insert_header(std::uint64_t gpa, std::uint32_t index,
                                        std::uint32_t mask = 1) {
    return Blob().u32(0x303).u32(16).u64(gpa).u32(mask).u32(index);
}

// Where the headers of good_headers() stand in a file, and its data: a page of 0xA5.
inline constexpr std::size_t platform_at = 24;
inline constexpr std::size_t policy_at = 48;
inline constexpr std::size_t page_at = 72;
inline constexpr std::size_t zero_at = 104;
inline constexpr std::size_t area_at = 136;
inline constexpr std::size_t parameter_at = 160;
inline constexpr std::size_t insert_at = 176;
inline constexpr std::size_t required_at = 200;
inline constexpr std::size_t data_at = 232;
inline constexpr std::size_t file_end = data_at + 0x1000;

[[nodiscard]] inline Blob good_headers() {
    Blob headers = platform_header();
    headers.u32(0x101).u32(16).u64(2).u32(1).u32(0);
    headers.bytes(page_header(0xFFFFF000, data_at, 0).view());
    headers.bytes(page_header(0x800000, 0, 2).view());
    headers.bytes(area_header(0x2000, 7).view());
    headers.u32(0x30C).u32(8).u32(7).u32(0x10);
    headers.bytes(insert_header(0x900000, 7).view());
    return headers.u32(0x305).u32(24).u64(0x1000000).u32(1).u32(0x3000).u32(0).u32(0);
}

[[nodiscard]] inline Blob good_igvm() {
    return igvm_of(good_headers(), Blob().fill(0x1000, 0xA5));
}

} // namespace tdshim::test
