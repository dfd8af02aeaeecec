// SPDX-License-Identifier: Apache-2.0
//
// SMBIOS: what a machine says about itself (maker, product, serial number, processors), as QEMU's
// file etc/smbios/smbios-tables has it: structures one behind the other [DMTF DSP0134 3.7, 5.2.2,
// 6.1].
#pragma once

#include <cstddef>
#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"

namespace tdshim::smbios {

/// Who reads the tables allots no more; QEMU's have some hundred bytes, and 100 a processor socket.
inline constexpr std::uint64_t max_size = 64 * KiB;

/// Errors: fw_cfg_item_size for tables that are empty or larger than max_size.
[[nodiscard]] Result<void> check_size(std::uint64_t size);

/// The number of structures. Each has its formatted area inside the table, and behind it strings,
/// of which a NUL ends each and another one the last; the structure that ends the table is the last
/// and has nothing behind it. Errors: smbios_length, smbios_strings, smbios_end.
[[nodiscard]] Result<std::size_t> check_tables(Bytes tables);

/// SMBIOS 3.0 Entry Point.
struct EntryPoint {
    std::array<char, 5> anchor;  // 0: "_SM3_"
    std::uint8_t checksum;       // 5: all bytes add up to 0
    std::uint8_t length;         // 6
    std::uint8_t major;          // 7
    std::uint8_t minor;          // 8
    std::uint8_t revision;       // 9: of the specification
    std::uint8_t entry_revision; // 10: 1
    std::uint8_t reserved;       // 11
    le32 tables_size;            // 12
    le64 tables;                 // 16
};
static_assert(sizeof(EntryPoint) == 24);

/// The entry point of tables of `size` bytes at `place`.
[[nodiscard]] EntryPoint entry_point(Gpa place, std::uint32_t size);

} // namespace tdshim::smbios
