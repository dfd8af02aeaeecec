// SPDX-License-Identifier: Apache-2.0
//
// A bzImage for tests, its setup header put together field by field at the offsets of Linux's
// Documentation/arch/x86/boot.rst.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/unit/support.hpp"

namespace tdshim::test {

/// Offsets in the file, and in boot_params.
namespace field {
inline constexpr std::size_t setup_sects = 0x1F1;
inline constexpr std::size_t syssize = 0x1F4;
inline constexpr std::size_t boot_flag = 0x1FE;
inline constexpr std::size_t jump = 0x200;
inline constexpr std::size_t jump_offset = 0x201;
inline constexpr std::size_t header = 0x202;
inline constexpr std::size_t version = 0x206;
inline constexpr std::size_t type_of_loader = 0x210;
inline constexpr std::size_t loadflags = 0x211;
inline constexpr std::size_t code32_start = 0x214;
inline constexpr std::size_t ramdisk_image = 0x218;
inline constexpr std::size_t ramdisk_size = 0x21C;
inline constexpr std::size_t cmd_line_ptr = 0x228;
inline constexpr std::size_t initrd_addr_max = 0x22C;
inline constexpr std::size_t kernel_alignment = 0x230;
inline constexpr std::size_t relocatable_kernel = 0x234;
inline constexpr std::size_t xloadflags = 0x236;
inline constexpr std::size_t cmdline_size = 0x238;
inline constexpr std::size_t setup_data = 0x250;
inline constexpr std::size_t pref_address = 0x258;
inline constexpr std::size_t init_size = 0x260;
inline constexpr std::size_t kernel_info_offset = 0x268;
} // namespace field

inline constexpr std::size_t setup_size = 4 * 512; ///< of kernel_blob: setup_sects is 3
inline constexpr std::size_t code_size = 0x1000;   ///< of kernel_blob

/// A kernel such as Debian builds, but small.
inline Blob kernel_blob() {
    Blob file;
    file.resize(setup_size);
    file.fill(code_size, 0xC0);
    file.patch(field::setup_sects, 1, 3)
        .patch(field::syssize, 4, code_size / 16)
        .patch(field::boot_flag, 2, 0xAA55)
        .patch(field::jump, 2, 0x6AEB)
        .patch(field::header, Blob().text("HdrS"))
        .patch(field::version, 2, 0x020F)
        .patch(field::loadflags, 1, 0x01)
        .patch(field::code32_start, 4, 0x100000)
        .patch(field::initrd_addr_max, 4, 0x7FFFFFFF)
        .patch(field::kernel_alignment, 4, 0x200000)
        .patch(field::relocatable_kernel, 1, 1)
        .patch(field::xloadflags, 2, 0x7F)
        .patch(field::cmdline_size, 4, 2047)
        .patch(field::pref_address, 8, 0x1000000)
        .patch(field::init_size, 4, 0x3378000);
    return file;
}

} // namespace tdshim::test
