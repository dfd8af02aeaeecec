// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a payload file: what is accepted keeps the promises of shim/formats/executable and
// shim/formats/payload, and loading it writes inside its memory only. The input is tried as it is,
// and as the numbers of a good ELF or PE file's segments, sections and relocations.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "shim/formats/elf/elf.hpp"
#include "shim/formats/executable/program.hpp"
#include "shim/formats/linux/vmlinux.hpp"
#include "shim/formats/payload/kind.hpp"
#include "shim/formats/payload/uki.hpp"
#include "shim/formats/pe/pe.hpp"

using namespace tdshim;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

bool is_inside(Bytes part, Bytes file) {
    return part.empty() ||
           (part.data() >= file.data() && part.data() + part.size() <= file.data() + file.size());
}

void check_program(const executable::Program& program, Bytes file) {
    require(program.size != 0 && program.size <= executable::max_size);
    require(is_aligned(program.size | program.linked_base.value, page_size));
    std::uint64_t end = 0;
    bool holds_entry = false;
    for (const executable::Part& part : program.parts) {
        require(!(part.writable && part.executable));
        require(align_down(part.offset, page_size) >= end);
        require(part.data.size() <= part.size && is_inside(part.data, file));
        end = *align_up(part.offset + part.size, page_size);
        require(end <= program.size);
        holds_entry |= part.executable && program.entry >= part.offset &&
                       program.entry < part.offset + part.data.size();
    }
    require(holds_entry);
    if (program.size > 16 * MiB)
        return;
    std::vector<std::byte> memory(program.size); // the sanitizer watches its ends
    for (const std::uint64_t base : {program.linked_base.value, 3 * GiB})
        static_cast<void>(executable::load(program, {base}, memory));
}

void check_vmlinux(Bytes file) {
    const auto vmlinux = linux_boot::parse_vmlinux(file);
    if (!vmlinux)
        return;
    for (const elf::Segment& segment : vmlinux->segments) {
        require(segment.physical >= vmlinux->memory.start());
        require(segment.physical.value + segment.memory.size() <= vmlinux->memory.end().value);
    }
    require(vmlinux->entry >= vmlinux->memory.start() && vmlinux->entry < vmlinux->memory.end());
}

void check_file(Bytes file) {
    const auto kind = payload::kind_of(file);
    if (kind) {
        const auto size = payload::file_size(*kind, file);
        require(!size || *size <= file.size());
    }
    for (const auto& program : {executable::parse_elf(file), executable::parse_pe(file)})
        if (program)
            check_program(*program, file);
    if (const auto image = payload::parse_uki(file))
        for (const Bytes part :
             {image->kernel, image->initrd, image->command_line, image->os_release})
            require(is_inside(part, file));
    check_vmlinux(file);
}

/// Numbers worth trying, small and near a page.
std::uint32_t number(std::uint8_t code) {
    const std::uint32_t page = (code >> 4U) * 0x1000U;
    return page + (code & 0xFU) * 8U - ((code & 1U) != 0 ? 8U : 0U);
}

struct Row {
    std::uint8_t flags;
    std::uint8_t address;
    std::uint8_t offset;
    std::uint8_t size;
    std::uint8_t memory_size;
};
static_assert(sizeof(Row) == 5);

std::size_t rows_of(Bytes bytes) {
    return std::min<std::size_t>(bytes.size() / sizeof(Row), 12);
}

/// A position-independent ELF file whose segments and dynamic section the input describes; the
/// input itself is the data.
std::vector<std::byte> elf_of(Bytes bytes, bool is_kernel) {
    const std::size_t count = rows_of(bytes);
    elf::ElfHeader header{};
    std::ranges::copy(elf::expected_ident, header.ident.begin());
    header.type = 3;
    header.machine = 62;
    header.entry = bytes.empty() ? 0 : number(std::to_integer<std::uint8_t>(bytes.back()));
    header.program_headers = sizeof(header);
    header.program_header_size = sizeof(elf::ProgramHeader);
    header.program_header_count = static_cast<std::uint16_t>(count);
    std::vector<std::byte> file;
    file.append_range(bytes_of(header));
    for (std::size_t i = 0; i < count; ++i) {
        const auto row = *read_at<Row>(bytes, i * sizeof(Row));
        const std::uint64_t high = is_kernel ? 0xFFFF'FFFF'8000'0000 : 0;
        const elf::ProgramHeader program_header{
            .type = (row.flags & 8U) != 0 ? 2U : 1U,
            .flags = row.flags % 8U,
            .offset = std::uint64_t{number(row.offset)},
            .virtual_address = high + number(row.address),
            .physical_address = (is_kernel ? 16 * MiB : 0) + number(row.address),
            .file_size = std::uint64_t{number(row.size)},
            .memory_size = std::uint64_t{number(row.memory_size)},
            .alignment = page_size};
        file.append_range(bytes_of(program_header));
    }
    file.append_range(bytes);
    return file;
}

/// A PE file whose sections and relocation directory the input describes.
std::vector<std::byte> pe_of(Bytes bytes, std::string_view name) {
    const std::size_t count = rows_of(bytes);
    std::vector<std::byte> file(0x40);
    Writer dos(file);
    require(dos.put(le16{pe::dos_magic}));
    const le32 at = 0x40;
    std::ranges::copy(bytes_of(at), file.begin() + pe::signature_pointer);
    file.append_range(bytes_of(le32{pe::signature}));
    pe::CoffHeader coff{};
    coff.machine = pe::machine_x86_64;
    coff.section_count = static_cast<std::uint16_t>(count);
    coff.optional_header_size = sizeof(pe::OptionalHeader) + 6 * sizeof(pe::DataDirectory);
    file.append_range(bytes_of(coff));
    pe::OptionalHeader header{};
    header.magic = pe::optional_magic_64;
    header.image_base = 16 * MiB;
    header.image_size = 0x10000;
    header.headers_size = 0x200;
    header.directory_count = 6;
    if (!bytes.empty())
        header.entry = number(std::to_integer<std::uint8_t>(bytes.back()));
    file.append_range(bytes_of(header));
    std::array<pe::DataDirectory, 6> directories{};
    if (const auto row = read_at<Row>(bytes, 0))
        directories[pe::directory_relocations] = {number(row->memory_size), number(row->size)};
    file.append_range(std::as_bytes(std::span(directories)));
    for (std::size_t i = 0; i < count; ++i) {
        const auto row = *read_at<Row>(bytes, i * sizeof(Row));
        pe::SectionHeader section{};
        std::ranges::copy(name, section.name.begin());
        section.memory_size = number(row.memory_size);
        section.address = number(row.address);
        section.raw_size = number(row.size);
        section.raw_offset = number(row.offset);
        section.characteristics = std::uint32_t{row.flags} << 28U;
        file.append_range(bytes_of(section));
    }
    file.append_range(bytes);
    return file;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input = std::as_bytes(std::span(data, size));
    check_file(input);
    check_file(elf_of(input, false));
    check_file(elf_of(input, true));
    check_file(pe_of(input, ".text"));
    check_file(pe_of(input, ".linux"));
    return 0;
}
