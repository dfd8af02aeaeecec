// SPDX-License-Identifier: Apache-2.0
//
// The setup header of a kernel file: what parse_kernel() accepts can be placed without a sum that
// wraps, and boot_params hold its header and what a loader fills, nothing else. The input is tried
// as a file, and as patches to the header of a good kernel: which field, and how.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <vector>

#include "shim/formats/linux/boot_params.hpp"

using namespace tdshim;
using linux_boot::Kernel;

namespace {

/// A new value for a field: `number` in byte `place` of it, or so much more, less, or below the
/// top.
struct Patch {
    std::uint8_t field;
    std::uint8_t form;
    std::uint8_t number;
    std::uint8_t place;
};

struct Field {
    std::size_t offset;
    std::size_t size;
};

/// The fields that are read, where they stand in the file.
constexpr std::array fields{Field{0x1F1, 1}, Field{0x1F4, 4}, Field{0x1FE, 2}, Field{0x201, 1},
                            Field{0x202, 4}, Field{0x206, 2}, Field{0x210, 1}, Field{0x211, 1},
                            Field{0x22C, 4}, Field{0x230, 4}, Field{0x234, 1}, Field{0x236, 2},
                            Field{0x238, 4}, Field{0x250, 8}, Field{0x258, 8}, Field{0x260, 4}};

void require(bool condition) {
    if (!condition)
        std::abort();
}

std::vector<std::byte> good_kernel() {
    linux_boot::SetupHeader header{};
    header.setup_sects = 1;
    header.syssize = 0x400 / 16;
    header.boot_flag = 0xAA55;
    header.jump_opcode = 0xEB;
    header.jump_offset = 0x6A;
    header.header = 0x53726448;
    header.version = 0x020F;
    header.loadflags = 1;
    header.initrd_addr_max = 0x7FFFFFFF;
    header.kernel_alignment = 0x200000;
    header.relocatable_kernel = 1;
    header.xloadflags = linux_boot::xload_64bit_entry | linux_boot::xload_above_4g;
    header.cmdline_size = 2047;
    header.pref_address = 16 * MiB;
    header.init_size = 32 * MiB;
    header.kernel_info_offset = 0xEEEEEEEE; // seen when a shorter header is not cut
    std::vector<std::byte> file(0x800, std::byte{0xC0});
    std::ranges::copy(bytes_of(header), file.begin() + linux_boot::header_offset);
    return file;
}

void apply(std::vector<std::byte>& file, const Patch& patch) {
    const Field field = fields[patch.field % fields.size()];
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < field.size; ++i)
        value |= std::to_integer<std::uint64_t>(file[field.offset + i]) << (8 * i);
    const std::uint64_t number = std::uint64_t{patch.number} << (8 * (patch.place % field.size));
    const std::array values{number, value + number, value - number, ~number};
    value = values[patch.form % values.size()];
    for (std::size_t i = 0; i < field.size; ++i)
        file[field.offset + i] = static_cast<std::byte>(value >> (8 * i));
}

/// Where boot_params may be other than zero, without header and memory map.
bool is_filled(std::size_t offset) {
    const bool is_rsdp = offset >= 0x070 && offset < 0x078;
    const bool is_high_half = offset >= 0x0C0 && offset < 0x0CC;
    return is_rsdp || is_high_half || offset == 0x1E8;
}

/// Whether a loader writes the byte at `offset` of the header in boot_params.
bool is_loaders(std::size_t offset) {
    const bool is_ramdisk_or_code32 = offset >= 0x214 && offset < 0x220;
    const bool is_command_line = offset >= 0x228 && offset < 0x22C;
    const bool is_setup_data = offset >= 0x250 && offset < 0x258;
    return offset == 0x210 || is_ramdisk_or_code32 || is_command_line || is_setup_data;
}

void check_boot_params(const Kernel& kernel, Bytes file) {
    const linux_boot::Placement placement{.load_address = kernel.preferred,
                                          .initrd = GpaRange::of<5 * GiB, 6 * GiB>(),
                                          .command_line = {7 * GiB},
                                          .rsdp = {8 * GiB}};
    const auto params = linux_boot::make_boot_params(kernel, placement, {});
    require(params.header.type_of_loader == 0xFF && params.header.setup_data == 0);
    const Bytes page = bytes_of(params);
    const std::size_t header_end = 0x202 + kernel.header.jump_offset;
    for (std::size_t i = 0; i < page.size(); ++i) {
        const bool in_header = i >= linux_boot::header_offset && i < header_end && i < 0x26C;
        if (in_header)
            require(is_loaders(i) || page[i] == file[i]);
        else
            require(is_filled(i) || page[i] == std::byte{0});
    }
}

/// Whether the file is accepted.
bool check(Bytes file) {
    const auto kernel = linux_boot::parse_kernel(file);
    if (!kernel)
        return false;
    require(kernel->setup_size + kernel->code_size == file.size());
    require(kernel->setup_size % 512 == 0 && kernel->setup_size >= 1024);
    require(kernel->code_size > linux_boot::entry_64bit_offset);
    require(kernel->init_size >= kernel->code_size);
    require(std::has_single_bit(kernel->alignment) && kernel->alignment >= page_size);
    const auto start = align_up(kernel->preferred.value, kernel->alignment);
    require(start && checked_add(*start, kernel->init_size));
    check_boot_params(*kernel, file);
    return true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input = std::as_bytes(std::span(data, size));
    check(input);

    std::vector<std::byte> file = good_kernel();
    require(check(file));
    Reader reader(input);
    while (const auto patch = reader.take<Patch>())
        apply(file, *patch);
    check(file);
    return 0;
}
