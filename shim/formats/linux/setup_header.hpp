// SPDX-License-Identifier: Apache-2.0
//
// The setup header of a Linux bzImage [Linux Documentation/arch/x86/boot.rst], as it stands in the
// file from offset 0x1F1 and again in boot_params from the same offset.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"

namespace tdshim::linux_boot {

inline constexpr std::size_t header_offset = 0x1F1;

struct SetupHeader {
    std::uint8_t setup_sects;        // 1F1
    le16 root_flags;                 // 1F2
    le32 syssize;                    // 1F4
    le16 ram_size;                   // 1F8
    le16 vid_mode;                   // 1FA
    le16 root_dev;                   // 1FC
    le16 boot_flag;                  // 1FE
    std::uint8_t jump_opcode;        // 200
    std::uint8_t jump_offset;        // 201: the header ends at 0x202 + this
    le32 header;                     // 202 "HdrS"
    le16 version;                    // 206
    le32 realmode_swtch;             // 208
    le16 start_sys_seg;              // 20C
    le16 kernel_version;             // 20E
    std::uint8_t type_of_loader;     // 210
    std::uint8_t loadflags;          // 211
    le16 setup_move_size;            // 212
    le32 code32_start;               // 214
    le32 ramdisk_image;              // 218
    le32 ramdisk_size;               // 21C
    le32 bootsect_kludge;            // 220
    le16 heap_end_ptr;               // 224
    std::uint8_t ext_loader_ver;     // 226
    std::uint8_t ext_loader_type;    // 227
    le32 cmd_line_ptr;               // 228
    le32 initrd_addr_max;            // 22C
    le32 kernel_alignment;           // 230
    std::uint8_t relocatable_kernel; // 234
    std::uint8_t min_alignment;      // 235
    le16 xloadflags;                 // 236
    le32 cmdline_size;               // 238
    le32 hardware_subarch;           // 23C
    le64 hardware_subarch_data;      // 240
    le32 payload_offset;             // 248
    le32 payload_length;             // 24C
    le64 setup_data;                 // 250
    le64 pref_address;               // 258
    le32 init_size;                  // 260
    le32 handover_offset;            // 264
    le32 kernel_info_offset;         // 268
};
static_assert(sizeof(SetupHeader) == 0x26C - header_offset);
static_assert(offsetof(SetupHeader, header) == 0x202 - header_offset);
static_assert(offsetof(SetupHeader, pref_address) == 0x258 - header_offset);

inline constexpr std::uint16_t boot_flag_value = 0xAA55;
inline constexpr std::uint32_t header_magic = 0x53726448; // "HdrS"
inline constexpr std::uint16_t oldest_version = 0x020C;   // the first with xloadflags
inline constexpr std::uint16_t xload_64bit_entry = 1 << 0;
inline constexpr std::uint16_t xload_above_4g = 1 << 1;

/// The 64-bit entry point, from the start of the protected-mode part.
inline constexpr std::uint64_t entry_64bit_offset = 0x200;

/// What a loader needs to know of a bzImage; all of it checked.
struct Kernel {
    SetupHeader header{};
    std::uint64_t setup_size = 0;         ///< bytes of the file before the protected-mode part
    std::uint64_t code_size = 0;          ///< bytes of the protected-mode part
    std::uint64_t init_size = 0;          ///< bytes that the kernel uses from its load address on
    std::uint64_t alignment = 0;          ///< of the load address
    Gpa preferred;                        ///< load address if that memory is free
    bool relocatable = false;             ///< may be loaded above `preferred`
    std::uint64_t command_line_limit = 0; ///< bytes, without the NUL
    Gpa initrd_limit;                     ///< the initrd's last byte lies at or below this
    /// Whether it accepts memory of a TD when it needs it: Linux does from 6.5 on [Linux
    /// drivers/firmware/efi/unaccepted_memory.c]. A kernel that names no version is taken to.
    bool accepts_memory = true;
};

/// Whether `file` has the boot flag or the magic of a bzImage; parse_kernel says what else is
/// wrong.
[[nodiscard]] bool looks_like_kernel(Bytes file);

/// The size of the bzImage at the start of `memory` as its setup header has it: setup part and
/// code, without signatures behind it. Errors: truncated.
[[nodiscard]] Result<std::uint64_t> file_size(Bytes memory);

/// Checks `file`, a whole bzImage.
/// Errors: truncated and the kernel_ faults; `at` is the header field's offset in the file.
[[nodiscard]] Result<Kernel> parse_kernel(Bytes file);

} // namespace tdshim::linux_boot
