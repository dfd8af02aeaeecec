// SPDX-License-Identifier: Apache-2.0
//
// An ELF64 file as it stands [System V ABI, 4 and 5; x86-64 psABI, 4.4].
#pragma once

#include <array>
#include <cstdint>

#include "shim/base/bytes.hpp"

namespace tdshim::elf {

struct ElfHeader {
    std::array<std::uint8_t, 16> ident; // 0: 7F 'E' 'L' 'F', class, byte order, version, ABI
    le16 type;                          // 16
    le16 machine;                       // 18
    le32 version;                       // 20
    le64 entry;                         // 24
    le64 program_headers;               // 32: offset in the file
    le64 section_headers;               // 40
    le32 flags;                         // 48
    le16 header_size;                   // 52
    le16 program_header_size;           // 54
    le16 program_header_count;          // 56
    le16 section_header_size;           // 58
    le16 section_header_count;          // 60
    le16 section_names;                 // 62
};
static_assert(sizeof(ElfHeader) == 64);

inline constexpr std::array<std::uint8_t, 7> expected_ident{
    0x7F, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little-endian */, 1 /* version */};

struct ProgramHeader {
    le32 type;             // 0
    le32 flags;            // 4
    le64 offset;           // 8: in the file
    le64 virtual_address;  // 16
    le64 physical_address; // 24
    le64 file_size;        // 32
    le64 memory_size;      // 40
    le64 alignment;        // 48
};
static_assert(sizeof(ProgramHeader) == 56);

/// An entry of the dynamic section.
struct Dynamic {
    le64 tag;   // 0
    le64 value; // 8: a number or a virtual address
};
static_assert(sizeof(Dynamic) == 16);

inline constexpr std::uint64_t dynamic_end = 0;                 // DT_NULL
inline constexpr std::uint64_t dynamic_needed = 1;              // DT_NEEDED
inline constexpr std::uint64_t dynamic_plt_size = 2;            // DT_PLTRELSZ
inline constexpr std::uint64_t dynamic_rela = 7;                // DT_RELA
inline constexpr std::uint64_t dynamic_rela_size = 8;           // DT_RELASZ
inline constexpr std::uint64_t dynamic_rela_entry_size = 9;     // DT_RELAENT
inline constexpr std::uint64_t dynamic_rel = 17;                // DT_REL
inline constexpr std::uint64_t dynamic_packed_relocations = 36; // DT_RELR

/// A relocation with its addend.
struct Relocation {
    le64 offset; // 0: virtual address of the place
    le64 info;   // 8: symbol in the upper half, type in the lower
    le64 addend; // 16
};
static_assert(sizeof(Relocation) == 24);

inline constexpr std::uint64_t relocation_relative = 8; // R_X86_64_RELATIVE, of no symbol

} // namespace tdshim::elf
