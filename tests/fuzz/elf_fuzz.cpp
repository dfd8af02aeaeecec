// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the firmware's ELF file: what is accepted keeps the promises of linker/elf.hpp, and
// the image that it gives is one that its own parser takes.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "linker/image.hpp"
#include "shim/memory/layout.hpp"

using namespace tdshim;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

void check_executable(const linker::Executable& executable, Bytes file) {
    bool holds_entry = false;
    for (const linker::Segment& segment : executable.segments) {
        require(!(segment.writable && segment.executable));
        require(segment.data.size() <= segment.memory.size());
        require(segment.data.empty() ||
                (segment.data.data() >= file.data() &&
                 segment.data.data() + segment.data.size() <= file.data() + file.size()));
        holds_entry |= segment.executable && executable.entry >= segment.memory.start() &&
                       executable.entry < segment.memory.end();
        for (const linker::Segment& other : executable.segments)
            require(&other == &segment || !other.memory.overlaps(segment.memory));
    }
    require(holds_entry);
}

void check_file(Bytes file) {
    const auto executable = linker::parse_executable(file);
    if (executable)
        check_executable(*executable, file);
    const auto shim = linker::parse_shim(file);
    require(!shim || executable);
    if (!shim)
        return;
    require(shim->rom_size <= layout::shim_rom_size);
    const std::vector<std::byte> reset_vector(layout::reset_vector_size);
    require(linker::link(reset_vector, *shim, {}).has_value());
    linker::Contents contents{};
    contents.payload = file;
    require(linker::link(reset_vector, *shim, contents).has_value());
}

/// The numbers of a program header that are worth trying; the rest follows from them.
struct Row {
    std::uint8_t flags;
    std::uint8_t page; ///< below 0x80 in the shim's code, else in its memory
    std::uint8_t offset;
    std::uint8_t file_size;
    std::array<std::uint8_t, 3> memory_size;
};
static_assert(sizeof(Row) == 7);

elf::ProgramHeader program_header(const Row& row) {
    const Gpa base = row.page < 0x80 ? layout::shim_code.start() : layout::shim_data.start();
    const std::uint64_t address = base.value + (row.page % 0x80) * page_size;
    return {.type = 1,
            .flags = row.flags % 8U,
            .offset = std::uint64_t{row.offset},
            .virtual_address = address,
            .physical_address = address,
            .file_size = std::uint64_t{row.file_size},
            .memory_size = row.memory_size[0] + 0x100ULL * row.memory_size[1] +
                           0x10000ULL * row.memory_size[2],
            .alignment = page_size};
}

/// A good ELF header, program headers from the rows that `bytes` hold, and `bytes` again as data.
std::vector<std::byte> file_of_rows(Bytes bytes) {
    const std::size_t count = std::min<std::size_t>(bytes.size() / sizeof(Row), 32);
    elf::ElfHeader header{};
    header.ident = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    header.type = 2;
    header.machine = 62;
    header.entry = layout::shim_code.start().value;
    header.program_headers = sizeof(header);
    header.program_header_size = sizeof(elf::ProgramHeader);
    header.program_header_count = static_cast<std::uint16_t>(count);
    std::vector<std::byte> file(sizeof(header) + count * sizeof(elf::ProgramHeader) + bytes.size());
    Writer writer(file);
    require(writer.put(header));
    for (std::size_t i = 0; i < count; ++i)
        require(writer.put(program_header(*read_at<Row>(bytes, i * sizeof(Row)))));
    require(writer.put(bytes));
    return file;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes file = std::as_bytes(std::span(data, size));
    check_file(file);
    check_file(file_of_rows(file));
    return 0;
}
