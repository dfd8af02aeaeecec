// SPDX-License-Identifier: Apache-2.0
#include "tests/native/inputs.hpp"

#include <algorithm>

#include "shim/formats/acpi/loader.hpp"
#include "shim/formats/elf/wire.hpp"
#include "shim/formats/tdvf/wire.hpp"
#include "shim/memory/layout.hpp"

namespace tdshim::native {
namespace {

acpi::LoaderFileName file_name(std::string_view text) {
    acpi::LoaderFileName name{};
    std::ranges::copy(text, name.begin());
    return name;
}

acpi::LoaderCommand command(acpi::CommandKind kind) {
    acpi::LoaderCommand wire{};
    wire.command = static_cast<std::uint32_t>(kind);
    return wire;
}

acpi::TableHeader table_header(std::array<char, 4> signature, std::size_t length) {
    acpi::TableHeader header{};
    header.signature = signature;
    header.length = static_cast<std::uint32_t>(length);
    return header;
}

std::uint8_t sum_of(Bytes bytes) {
    std::uint8_t sum = 0;
    for (const std::byte byte : bytes)
        sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
    return sum;
}

constexpr std::size_t rsdt_size = sizeof(acpi::TableHeader) + sizeof(le32);
constexpr std::size_t madt_offset = rsdt_size;

/// A MADT with one processor and a good checksum.
struct Madt {
    acpi::MadtHeader header;
    std::array<std::uint8_t, 8> local_apic;
};

/// RSDT with one pointer, an offset into this same file until the loader adds the file's address,
/// and a MADT.
Blob acpi_tables() {
    Blob tables(rsdt_size + sizeof(Madt));
    overwrite(tables, 0, table_header({'R', 'S', 'D', 'T'}, rsdt_size));
    overwrite(tables, sizeof(acpi::TableHeader), le32{madt_offset});
    Madt madt{.header = {table_header({'A', 'P', 'I', 'C'}, sizeof(Madt)), 0xFEE0'0000, 0},
              .local_apic = {0, 8, 0, 0, 1, 0, 0, 0}};
    madt.header.header.checksum = static_cast<std::uint8_t>(0 - sum_of(bytes_of(madt)));
    overwrite(tables, madt_offset, madt);
    return tables;
}

/// The footer table of an image without embedded payload.
Blob image_tail() {
    Blob tail(page_size);
    const tdvf::TableEntryTail footer{.length = sizeof(tdvf::TableEntryTail),
                                      .guid = tdvf::footer_guid};
    overwrite(tail, page_size - tdvf::footer_tail - sizeof(footer), footer);
    return tail;
}

} // namespace

Blob text_blob(std::string_view text) {
    const Bytes bytes = bytes_of(text);
    return Blob(bytes.begin(), bytes.end());
}

e820::WireEntry usable(std::uint64_t address, std::uint64_t size) {
    return {address, size, static_cast<std::uint32_t>(e820::Type::memory)};
}

Blob memory_map(std::initializer_list<e820::WireEntry> entries) {
    Blob bytes;
    for (const e820::WireEntry& entry : entries)
        bytes.append_range(bytes_of(entry));
    return bytes;
}

Blob kernel_image(std::uint32_t code_size) {
    constexpr std::uint8_t setup_sectors = 4;
    constexpr std::size_t setup_size = (setup_sectors + 1) * 512;
    linux_boot::SetupHeader header{};
    header.setup_sects = setup_sectors;
    header.syssize = code_size / 16;
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
    header.cmdline_size = 255;
    header.pref_address = 16 * MiB;
    header.init_size = 4 * MiB;
    Blob file(setup_size + code_size);
    for (std::size_t i = 0; i < file.size(); ++i)
        file[i] = static_cast<std::byte>(i * 7);
    overwrite(file, linux_boot::header_offset, header);
    return file;
}

Blob elf_image(std::uint64_t virtual_address, std::uint64_t physical_address) {
    constexpr std::size_t size = 0x200;
    elf::ElfHeader header{};
    std::ranges::copy(elf::expected_ident, header.ident.begin());
    header.type = 2;     // executable
    header.machine = 62; // x86-64
    header.version = 1;
    header.entry = physical_address + 0x80;
    header.program_headers = sizeof(header);
    header.header_size = sizeof(header);
    header.program_header_size = sizeof(elf::ProgramHeader);
    header.program_header_count = 1;
    const elf::ProgramHeader code{.type = 1,
                                  .flags = 5,
                                  .offset = 0,
                                  .virtual_address = virtual_address,
                                  .physical_address = physical_address,
                                  .file_size = size,
                                  .memory_size = size,
                                  .alignment = page_size};
    Blob file(size, std::byte{0xC3});
    overwrite(file, 0, header);
    overwrite(file, sizeof(header), code);
    return file;
}

acpi::LoaderCommand allocate(std::string_view file, std::uint32_t alignment, std::uint8_t zone) {
    acpi::LoaderCommand wire = command(acpi::CommandKind::allocate);
    wire.allocate = {file_name(file), alignment, zone};
    return wire;
}

acpi::LoaderCommand add_pointer(std::string_view file, std::string_view source,
                                std::uint32_t offset, std::uint8_t size) {
    acpi::LoaderCommand wire = command(acpi::CommandKind::add_pointer);
    wire.add_pointer = {file_name(file), file_name(source), offset, size};
    return wire;
}

acpi::LoaderCommand add_checksum(std::string_view file, std::uint32_t offset, std::uint32_t start,
                                 std::uint32_t length) {
    acpi::LoaderCommand wire = command(acpi::CommandKind::add_checksum);
    wire.add_checksum = {file_name(file), offset, start, length};
    return wire;
}

acpi::LoaderCommand write_pointer(std::string_view file, std::string_view source,
                                  std::uint32_t offset, std::uint32_t source_offset,
                                  std::uint8_t size) {
    acpi::LoaderCommand wire = command(acpi::CommandKind::write_pointer);
    wire.write_pointer = {file_name(file), file_name(source), offset, source_offset, size};
    return wire;
}

void add_acpi(Machine& machine) {
    acpi::Rsdp rsdp{};
    rsdp.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '};
    Blob rsdp_file = wire_blob(rsdp);
    rsdp_file.resize(acpi::rsdp_size_revision_0);

    Blob script;
    for (const acpi::LoaderCommand& wire :
         {allocate("etc/acpi/rsdp", 16, 2), allocate("etc/acpi/tables", 64),
          add_pointer("etc/acpi/tables", "etc/acpi/tables", sizeof(acpi::TableHeader), 4),
          add_checksum("etc/acpi/tables", offsetof(acpi::TableHeader, checksum), 0, rsdt_size),
          add_pointer("etc/acpi/rsdp", "etc/acpi/tables", offsetof(acpi::Rsdp, rsdt), 4),
          add_checksum("etc/acpi/rsdp", offsetof(acpi::Rsdp, checksum), 0,
                       acpi::rsdp_size_revision_0)})
        script.append_range(bytes_of(wire));
    script.resize(4096); // as QEMU does

    machine.add_file("etc/acpi/tables", acpi_tables());
    machine.add_file("etc/acpi/rsdp", rsdp_file);
    machine.add_file("etc/table-loader", script);
}

void replace_command(Machine& machine, std::size_t index, const acpi::LoaderCommand& wire) {
    overwrite(machine.file("etc/table-loader"), index * sizeof(wire), wire);
}

Blob td_hob(std::initializer_list<HobMemory> resources) {
    const std::size_t size = sizeof(hob::Handoff) + resources.size() * sizeof(hob::WireResource) +
                             sizeof(hob::HobHeader);
    Blob list(size);
    Writer writer(list);
    static_cast<void>(
        writer.put(hob::Handoff{.header = {1, sizeof(hob::Handoff), 0},
                                .version = 9,
                                .boot_mode = 0,
                                .memory_top = 0,
                                .memory_bottom = 0,
                                .free_memory_top = 0,
                                .free_memory_bottom = 0,
                                .end_of_hob_list = layout::td_hob.start().value + size}));
    for (const HobMemory& memory : resources)
        static_cast<void>(
            writer.put(hob::WireResource{.header = {3, sizeof(hob::WireResource), 0},
                                         .owner = {},
                                         .type = static_cast<std::uint32_t>(memory.type),
                                         .attributes = 7,
                                         .start = memory.address,
                                         .length = memory.size}));
    static_cast<void>(writer.put(hob::HobHeader{0xFFFF, sizeof(hob::HobHeader), 0}));
    return list;
}

Blob good_td_hob() {
    using enum hob::ResourceType;
    // QEMU cuts the sections TempMem and TD_HOB out of the RAM and lists them as added.
    const std::uint64_t code = layout::shim_code.start().value;
    const std::uint64_t code_end = layout::shim_code.end().value;
    const std::uint64_t data = layout::shim_data.start().value;
    const std::uint64_t added_end = layout::mailbox.end().value;
    static_assert(layout::shim_data.end() == layout::td_hob.start());
    static_assert(layout::td_hob.end() == layout::event_log.start());
    static_assert(layout::event_log.end() == layout::mailbox.start());
    return td_hob({{memory_unaccepted, 0, code},
                   {system_memory, code, code_end - code},
                   {memory_unaccepted, code_end, data - code_end},
                   {system_memory, data, added_end - data},
                   {memory_unaccepted, added_end, 512 * MiB - added_end},
                   {memory_unaccepted, 4 * GiB, 2 * GiB}});
}

void add_good_inputs(Machine& machine) {
    machine.set_image_tail(image_tail());
    machine.add_file("etc/e820", memory_map({usable(0, 512 * MiB), usable(4 * GiB, 2 * GiB)}));
    add_acpi(machine);
    machine.add_file("opt/org.tdshim/kernel", kernel_image());
    machine.add_file("opt/org.tdshim/initrd", text_blob("not a cpio archive, and nobody looks"));
    machine.add_file("opt/org.tdshim/cmdline", text_blob("console=ttyS0"));
}

} // namespace tdshim::native
