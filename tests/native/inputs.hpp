// SPDX-License-Identifier: Apache-2.0
//
// Well-formed inputs of a VMM, small and made by code: the tests spoil them one at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "shim/formats/acpi/wire.hpp"
#include "shim/formats/e820/e820.hpp"
#include "shim/formats/hob/wire.hpp"
#include "shim/formats/linux/setup_header.hpp"
#include "tests/native/machine.hpp"

namespace tdshim::native {

[[nodiscard]] Blob text_blob(std::string_view text);
template <Wire T>
[[nodiscard]] Blob wire_blob(const T& value) {
    const Bytes bytes = bytes_of(value);
    return Blob(bytes.begin(), bytes.end());
}
/// Puts `value` over the bytes at `offset`.
template <Wire T>
void overwrite(Blob& blob, std::size_t offset, const T& value) {
    std::ranges::copy(bytes_of(value), blob.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// etc/e820 with these entries.
[[nodiscard]] Blob memory_map(std::initializer_list<e820::WireEntry> entries);
[[nodiscard]] e820::WireEntry usable(std::uint64_t address, std::uint64_t size);

/// A bzImage of protocol 2.15: setup part of 5 sectors, `code_size` bytes of code, 64-bit entry.
[[nodiscard]] Blob kernel_image(std::uint32_t code_size = 8192);
/// The header field at `offset` of the file, e.g. 0x206 for the version.
template <Wire T>
void set_header(Blob& kernel, std::size_t offset, const T& value) {
    overwrite(kernel, offset, value);
}

/// An ELF executable of 0x200 bytes in one segment, entered at its byte 0x80.
[[nodiscard]] Blob elf_image(std::uint64_t virtual_address, std::uint64_t physical_address);

/// Commands of etc/table-loader.
[[nodiscard]] acpi::LoaderCommand allocate(std::string_view file, std::uint32_t alignment = 16,
                                           std::uint8_t zone = 1);
[[nodiscard]] acpi::LoaderCommand add_pointer(std::string_view file, std::string_view source,
                                              std::uint32_t offset, std::uint8_t size);
[[nodiscard]] acpi::LoaderCommand add_checksum(std::string_view file, std::uint32_t offset,
                                               std::uint32_t start, std::uint32_t length);
[[nodiscard]] acpi::LoaderCommand write_pointer(std::string_view file, std::string_view source,
                                                std::uint32_t offset, std::uint32_t source_offset,
                                                std::uint8_t size);

/// Adds etc/acpi/tables (an RSDT and a MADT), etc/acpi/rsdp and the script that links them.
void add_acpi(Machine& machine);
/// The script's command `index`.
void replace_command(Machine& machine, std::size_t index, const acpi::LoaderCommand& command);
/// Position in add_acpi()'s script, which is in this order.
enum AcpiCommand : std::size_t {
    load_rsdp,
    load_tables,
    link_table,
    sum_rsdt,
    link_rsdt,
    sum_rsdp
};

/// A TD HOB with these resources, each as type, address and size.
struct HobMemory {
    hob::ResourceType type;
    std::uint64_t address;
    std::uint64_t size;
};
[[nodiscard]] Blob td_hob(std::initializer_list<HobMemory> resources);
/// As QEMU writes it for 512 MiB and 2 GiB above 4 GiB.
[[nodiscard]] Blob good_td_hob();

/// A machine with 512 MiB and 2 GiB above 4 GiB, ACPI, kernel, initrd and command line.
void add_good_inputs(Machine& machine);

} // namespace tdshim::native
