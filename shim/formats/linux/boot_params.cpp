// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/linux/boot_params.hpp"

#include <algorithm>

namespace tdshim::linux_boot {
namespace {

constexpr std::uint8_t loader_undefined = 0xFF; // boot.rst: a loader without an assigned number

std::uint32_t low_half(std::uint64_t value) {
    return static_cast<std::uint32_t>(value);
}
std::uint32_t high_half(std::uint64_t value) {
    return static_cast<std::uint32_t>(value >> 32);
}

/// The header as the file holds it. What lies behind its own end is not part of it and stays zero.
SetupHeader header_of(const Kernel& kernel) {
    const std::size_t length = std::min<std::size_t>(
        0x202 + kernel.header.jump_offset - header_offset, sizeof(SetupHeader));
    SetupHeader header{};
    std::ranges::copy(bytes_of(kernel.header).first(length),
                      std::as_writable_bytes(std::span(&header, 1)).begin());
    return header;
}

EfiInfo efi_info(const efi::Handover& handover) {
    return {.signature = {'E', 'L', '6', '4'},
            .system_table = low_half(handover.system_table.value),
            .memory_descriptor_size = efi::memory_descriptor_size,
            .memory_descriptor_version = efi::memory_descriptor_version,
            .memory_map = low_half(handover.memory_map.value),
            .memory_map_size = handover.memory_map_size,
            .system_table_high = high_half(handover.system_table.value),
            .memory_map_high = high_half(handover.memory_map.value)};
}

} // namespace

BootParams make_boot_params(const Kernel& kernel, const Placement& placement,
                            const e820::Table& memory) {
    BootParams params{};
    params.header = header_of(kernel);
    params.header.type_of_loader = loader_undefined;
    params.header.code32_start = low_half(placement.load_address.value);

    const std::uint64_t initrd = placement.initrd.empty() ? 0 : placement.initrd.start().value;
    params.header.ramdisk_image = low_half(initrd);
    params.ext_ramdisk_image = high_half(initrd);
    params.header.ramdisk_size = low_half(placement.initrd.size());
    params.ext_ramdisk_size = high_half(placement.initrd.size());

    params.header.cmd_line_ptr = low_half(placement.command_line.value);
    params.ext_cmd_line_ptr = high_half(placement.command_line.value);
    params.acpi_rsdp_addr = placement.rsdp.value;
    params.header.setup_data = 0; // a loader's list: ours is empty, whoever wrote one into the file

    if (placement.efi)
        params.efi_info = efi_info(*placement.efi);

    params.e820_entries = static_cast<std::uint8_t>(memory.size());
    for (std::size_t i = 0; i < memory.size(); ++i)
        params.e820_table[i] = {memory[i].range.start().value, memory[i].range.size(),
                                static_cast<std::uint32_t>(memory[i].type)};
    return params;
}

} // namespace tdshim::linux_boot
