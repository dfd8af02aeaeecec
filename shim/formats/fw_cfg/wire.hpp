// SPDX-License-Identifier: Apache-2.0
//
// QEMU's fw_cfg device as it stands on the wire [QEMU docs/specs/fw_cfg.rst]: selectors, file
// directory entries, DMA control block. Files are big-endian, the legacy items little-endian.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "shim/base/bytes.hpp"

namespace tdshim::fw_cfg {

using Selector = std::uint16_t;

inline constexpr Selector signature = 0x00;  // "QEMU"
inline constexpr Selector features = 0x01;   // le32, bit 1: DMA
inline constexpr Selector processors = 0x05; // le16
inline constexpr Selector kernel_size = 0x08;
inline constexpr Selector initrd_size = 0x0B;
inline constexpr Selector kernel_data = 0x11; // the protected-mode part of a bzImage
inline constexpr Selector initrd_data = 0x12;
inline constexpr Selector command_line_size = 0x14; // with the NUL
inline constexpr Selector command_line_data = 0x15;
inline constexpr Selector setup_size = 0x17;
inline constexpr Selector setup_data = 0x18; // the first (setup_sects + 1) * 512 bytes of a bzImage
inline constexpr Selector directory = 0x19;
inline constexpr Selector first_file = 0x20;

inline constexpr std::uint32_t feature_dma = 2;

struct DirectoryEntry {
    be32 size;                 // 0
    be16 select;               // 4
    be16 reserved;             // 6
    std::array<char, 56> name; // 8, NUL-terminated
};
static_assert(sizeof(DirectoryEntry) == 64);

struct DmaControl {
    be32 control; // 0
    be32 length;  // 4
    be64 address; // 8
};
static_assert(sizeof(DmaControl) == 16);

inline constexpr std::uint32_t dma_error = 0x01;
inline constexpr std::uint32_t dma_read = 0x02;
inline constexpr std::uint32_t dma_skip = 0x04;
inline constexpr std::uint32_t dma_select = 0x08; // the selector stands in bits 31:16
inline constexpr std::uint32_t dma_write = 0x10;

/// Names of the items that the shim reads.
inline constexpr std::string_view named_kernel = "opt/org.tdshim/kernel";
inline constexpr std::string_view named_initrd = "opt/org.tdshim/initrd";
inline constexpr std::string_view named_command_line = "opt/org.tdshim/cmdline";
inline constexpr std::string_view accept_policy = "opt/org.tdshim/accept";
inline constexpr std::string_view smbios_policy = "opt/org.tdshim/smbios";
inline constexpr std::string_view smbios_pass = "pass"; ///< the one thing that it can say
inline constexpr std::string_view smbios_tables = "etc/smbios/smbios-tables";
inline constexpr std::string_view boot_kernel = "etc/boot/kernel";
inline constexpr std::string_view e820_table = "etc/e820";
inline constexpr std::string_view table_loader = "etc/table-loader";
inline constexpr std::string_view acpi_rsdp = "etc/acpi/rsdp";

} // namespace tdshim::fw_cfg
