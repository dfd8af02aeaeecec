// SPDX-License-Identifier: Apache-2.0
//
// A firmware ELF file for the tests of shim-ld, put together byte by byte, and variations of it.
#pragma once

#include <vector>

#include "shim/memory/layout.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::test {

inline constexpr std::uint64_t code = layout::shim_code.start().value;
inline constexpr std::uint64_t data = layout::shim_data.start().value;

struct ProgramRow {
    std::uint64_t type, flags, offset, address, physical, file_size, memory_size;
};

// The good file: code of 0x20 bytes at 0x1000, constants of 0x10 bytes (with 0x10 more of zeros) at
// 0x2000, memory without data. Program headers stand at 0x40, 0x38 bytes each.
[[nodiscard]] inline std::vector<ProgramRow> good_program_rows() {
    return {
        {1, 5, 0x1000, code, code, 0x20, 0x20},
        {1, 4, 0x2000, code + 0x1000, code + 0x1000, 0x10, 0x20},
        {1, 6, 0x2010, data, data, 0, 0x8000},
        {0x6474e551, 6, 0, 0, 0, 0, 0}, // PT_GNU_STACK
    };
}

[[nodiscard]] inline Blob elf_of(const std::vector<ProgramRow>& rows) {
    Blob file;
    file.dump("7F 45 4C 46 02 01 01 00 00 00 00 00 00 00 00 00");
    file.u16(2).u16(62).u32(1).u64(code + 4).u64(0x40).u64(0).u32(0);
    file.u16(64).u16(56).u16(rows.size()).u16(64).u16(0).u16(0);
    for (const ProgramRow& row : rows)
        file.u32(row.type)
            .u32(row.flags)
            .u64(row.offset)
            .u64(row.address)
            .u64(row.physical)
            .u64(row.file_size)
            .u64(row.memory_size)
            .u64(0x1000);
    file.fill(0x1000 - file.size(), 0).fill(0x20, 0xC0).fill(0xFE0, 0).fill(0x10, 0xDA);
    return file;
}

[[nodiscard]] inline Blob good_elf() {
    return elf_of(good_program_rows());
}

[[nodiscard]] inline std::size_t program_row_at(std::size_t row) {
    return 0x40 + 0x38 * row;
}

/// The good file with one program header changed.
[[nodiscard]] inline Blob elf_with(std::size_t row, const ProgramRow& changed) {
    auto rows = good_program_rows();
    rows.at(row) = changed;
    return elf_of(rows);
}

} // namespace tdshim::test
