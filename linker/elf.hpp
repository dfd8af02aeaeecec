// SPDX-License-Identifier: Apache-2.0
//
// Reads the firmware's ELF file [System V ABI, 4 and 5; x86-64 psABI]: a static executable at fixed
// addresses whose segments can be put into an image as they are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/static_vector.hpp"

namespace tdshim::linker {

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

struct Segment {
    std::uint64_t header_offset = 0; ///< of its program header in the file, for messages
    GpaRange memory;
    Bytes data; ///< in the file; memory behind it is zero
    bool writable = false;
    bool executable = false;
};

inline constexpr std::size_t max_segments = 16;

struct Executable {
    Gpa entry;
    StaticVector<Segment, max_segments> segments; ///< the loadable ones that are not empty
};

/// `file` as an executable: ELF64 for x86-64, ET_EXEC without dynamic linking; each segment on
/// pages of its own, at equal virtual and physical addresses, its data inside the file, not both
/// writable and executable; the entry point in the data of an executable segment. Errors:
/// truncated, too_many_entries, the elf_ faults; `at` is an offset in `file`.
[[nodiscard]] Result<Executable> parse_executable(Bytes file);

} // namespace tdshim::linker
