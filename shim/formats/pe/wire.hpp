// SPDX-License-Identifier: Apache-2.0
//
// A PE32+ image file as it stands [Microsoft PE Format, "COFF File Header" to "Section Table"].
#pragma once

#include <array>
#include <cstdint>

#include "shim/base/bytes.hpp"

namespace tdshim::pe {

/// A file begins with "MZ"; a le32 at this offset leads to the signature.
inline constexpr std::uint16_t dos_magic = 0x5A4D;
inline constexpr std::uint64_t signature_pointer = 0x3C;
inline constexpr std::uint32_t signature = 0x00004550; // "PE\0\0"

/// Behind the signature.
struct CoffHeader {
    le16 machine;              // 0
    le16 section_count;        // 2
    le32 time_stamp;           // 4
    le32 symbols;              // 8
    le32 symbol_count;         // 12
    le16 optional_header_size; // 16: the section table follows
    le16 characteristics;      // 18
};
static_assert(sizeof(CoffHeader) == 20);
inline constexpr std::uint16_t machine_x86_64 = 0x8664;
inline constexpr std::uint16_t characteristic_no_relocations = 1 << 0;

/// Of the kind PE32+; data directories follow.
struct OptionalHeader {
    le16 magic; // 0
    std::array<std::byte, 14> linker_version_and_sizes;
    le32 entry; // 16: RVA; 0: none
    le32 code_base;
    le64 image_base;        // 24
    le32 section_alignment; // 32
    le32 file_alignment;    // 36
    std::array<std::byte, 16> versions;
    le32 image_size;   // 56: memory from the image's base on
    le32 headers_size; // 60: of the file, loaded at the image's base
    std::array<std::byte, 44> checksum_to_loader_flags;
    le32 directory_count; // 108
};
static_assert(sizeof(OptionalHeader) == 112);
inline constexpr std::uint16_t optional_magic_64 = 0x20B;

struct DataDirectory {
    le32 address; // 0: RVA, of the certificates an offset in the file
    le32 size;    // 4
};
static_assert(sizeof(DataDirectory) == 8);
inline constexpr std::size_t directory_imports = 1;
inline constexpr std::size_t directory_certificates = 4;
inline constexpr std::size_t directory_relocations = 5;
inline constexpr std::size_t directory_thread_storage = 9;

struct SectionHeader {
    std::array<char, 8> name;
    le32 memory_size; // 8: VirtualSize
    le32 address;     // 12: RVA
    le32 raw_size;    // 16: in the file, padded
    le32 raw_offset;  // 20
    std::array<std::byte, 12> relocations_and_lines;
    le32 characteristics; // 36
};
static_assert(sizeof(SectionHeader) == 40);
inline constexpr std::uint32_t section_executable = std::uint32_t{1} << 29;
inline constexpr std::uint32_t section_writable = std::uint32_t{1} << 31;

/// Begins a block of base relocations; le16 entries follow, type in the upper four bits.
struct RelocationBlock {
    le32 page; // 0: RVA
    le32 size; // 4: of the whole block
};
static_assert(sizeof(RelocationBlock) == 8);
inline constexpr std::uint16_t relocation_none = 0;
inline constexpr std::uint16_t relocation_64 = 10;

} // namespace tdshim::pe
