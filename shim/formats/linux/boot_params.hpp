// SPDX-License-Identifier: Apache-2.0
//
// The boot_params page that a 64-bit Linux kernel is started with [Linux
// Documentation/arch/x86/zero-page.rst and boot.rst, "64-bit Boot Protocol"].
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/formats/e820/e820.hpp"
#include "shim/formats/efi/handover.hpp"
#include "shim/formats/linux/setup_header.hpp"

namespace tdshim::linux_boot {

/// What Linux is told of EFI; all zero: nothing.
struct EfiInfo {
    std::array<char, 4> signature;  // 0 "EL64"
    le32 system_table;              // 4
    le32 memory_descriptor_size;    // 8
    le32 memory_descriptor_version; // 12
    le32 memory_map;                // 16
    le32 memory_map_size;           // 20
    le32 system_table_high;         // 24
    le32 memory_map_high;           // 28
};
static_assert(sizeof(EfiInfo) == 32);

struct BootParams {
    std::array<std::byte, 0x70> unused_000;
    le64 acpi_rsdp_addr; // 070
    std::array<std::byte, 0x48> unused_078;
    le32 ext_ramdisk_image; // 0C0
    le32 ext_ramdisk_size;  // 0C4
    le32 ext_cmd_line_ptr;  // 0C8
    std::array<std::byte, 0xF4> unused_0cc;
    EfiInfo efi_info; // 1C0
    std::array<std::byte, 8> unused_1e0;
    std::uint8_t e820_entries; // 1E8
    std::array<std::byte, 8> unused_1e9;
    SetupHeader header; // 1F1
    std::array<std::byte, 0x64> unused_26c;
    std::array<e820::WireEntry, e820::max_entries> e820_table; // 2D0
    std::array<std::byte, 0x330> unused_cd0;
};
static_assert(sizeof(BootParams) == page_size);
static_assert(offsetof(BootParams, efi_info) == 0x1C0);
static_assert(offsetof(BootParams, e820_entries) == 0x1E8);
static_assert(offsetof(BootParams, header) == header_offset);
static_assert(offsetof(BootParams, e820_table) == 0x2D0);

/// Where the loader put what the kernel is to find.
struct Placement {
    Gpa load_address;
    GpaRange initrd;                    ///< empty: none
    Gpa command_line;                   ///< NUL-terminated; 0: none
    Gpa rsdp;                           ///< 0: none
    std::optional<efi::Handover> efi{}; ///< nothing: no EFI
};

/// The page for `kernel`, all of it zero but what the protocol asks a loader to fill.
[[nodiscard]] BootParams make_boot_params(const Kernel& kernel, const Placement& placement,
                                          const e820::Table& memory);

} // namespace tdshim::linux_boot
