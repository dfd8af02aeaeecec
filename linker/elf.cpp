// SPDX-License-Identifier: Apache-2.0
#include "linker/elf.hpp"

#include <algorithm>
#include <cstddef>

namespace tdshim::linker {
namespace {

constexpr std::array<std::uint8_t, 7> expected_ident{
    0x7F, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little-endian */, 1 /* version */};
constexpr std::uint16_t type_executable = 2; // ET_EXEC
constexpr std::uint16_t machine_x86_64 = 62; // EM_X86_64

constexpr std::uint32_t segment_load = 1;        // PT_LOAD
constexpr std::uint32_t segment_dynamic = 2;     // PT_DYNAMIC
constexpr std::uint32_t segment_interpreter = 3; // PT_INTERP
constexpr std::uint32_t flag_executable = 1;     // PF_X
constexpr std::uint32_t flag_writable = 2;       // PF_W

Result<ElfHeader> parse_header(Bytes file) {
    const auto header = TRY(read_at<ElfHeader>(file, 0));
    for (std::size_t i = 0; i < expected_ident.size(); ++i)
        if (header.ident[i] != expected_ident[i])
            return refuse(Fault::elf_header, i, expected_ident[i], header.ident[i]);
    if (header.machine != machine_x86_64)
        return refuse(Fault::elf_header, offsetof(ElfHeader, machine), machine_x86_64,
                      header.machine);
    if (header.type != type_executable)
        return refuse(Fault::elf_not_executable, offsetof(ElfHeader, type), type_executable,
                      header.type);
    if (header.program_header_size != sizeof(ProgramHeader))
        return refuse(Fault::elf_header, offsetof(ElfHeader, program_header_size),
                      sizeof(ProgramHeader), header.program_header_size);
    return header;
}

/// The bytes of a segment in `file`; `at` is the offset of its program header.
Result<Bytes> segment_data(const ProgramHeader& header, std::uint64_t at, Bytes file) {
    if (header.offset > file.size())
        return refuse(Fault::elf_segment_outside_file, at + offsetof(ProgramHeader, offset),
                      file.size(), header.offset);
    if (header.file_size > file.size() - header.offset)
        return refuse(Fault::elf_segment_outside_file, at + offsetof(ProgramHeader, file_size),
                      file.size() - header.offset, header.file_size);
    return file.subspan(header.offset, header.file_size);
}

Result<Segment> parse_segment(const ProgramHeader& header, std::uint64_t at, Bytes file) {
    Segment segment{.header_offset = at,
                    .memory = {},
                    .data = TRY(segment_data(header, at, file)),
                    .writable = (header.flags & flag_writable) != 0,
                    .executable = (header.flags & flag_executable) != 0};
    if (header.memory_size < header.file_size)
        return refuse(Fault::elf_segment_size, at + offsetof(ProgramHeader, memory_size),
                      header.file_size, header.memory_size);
    if (segment.writable && segment.executable)
        return refuse(Fault::elf_segment_writable_executable, at + offsetof(ProgramHeader, flags),
                      0, header.flags);
    if (header.physical_address != header.virtual_address)
        return refuse(Fault::elf_segment_address, at + offsetof(ProgramHeader, physical_address),
                      header.virtual_address, header.physical_address);
    if (!is_aligned(header.virtual_address, page_size))
        return refuse(Fault::elf_segment_alignment, at + offsetof(ProgramHeader, virtual_address),
                      align_down(header.virtual_address, page_size), header.virtual_address);
    const auto memory = GpaRange::make({header.virtual_address}, header.memory_size);
    if (!memory)
        return refuse(Fault::elf_segment_address, at + offsetof(ProgramHeader, memory_size),
                      memory.error().expected, header.memory_size);
    segment.memory = *memory;
    return segment;
}

/// Overlaps are all that can keep segments, which begin on a page each, from pages of their own.
Result<void> check_apart(const Executable& executable) {
    for (std::size_t i = 0; i < executable.segments.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const Segment& one = executable.segments[i];
            const Segment& other = executable.segments[j];
            if (one.memory.overlaps(other.memory))
                return refuse(Fault::elf_segment_overlap,
                              one.header_offset + offsetof(ProgramHeader, virtual_address),
                              other.memory.end().value, one.memory.start().value);
        }
    return {};
}

bool is_code(const Segment& segment, Gpa address) {
    return segment.executable && address >= segment.memory.start() &&
           address.value - segment.memory.start().value < segment.data.size();
}

} // namespace

Result<Executable> parse_executable(Bytes file) {
    const auto header = TRY(parse_header(file));
    Executable executable{.entry = {header.entry}, .segments = {}};
    for (std::uint64_t i = 0; i < header.program_header_count; ++i) {
        const auto at =
            checked_add<std::uint64_t>(header.program_headers, i * sizeof(ProgramHeader));
        if (!at)
            return refuse(Fault::elf_header, offsetof(ElfHeader, program_headers), file.size(),
                          header.program_headers);
        const auto program_header = TRY(read_at<ProgramHeader>(file, *at));
        if (program_header.type == segment_dynamic || program_header.type == segment_interpreter)
            return refuse(Fault::elf_not_executable, *at, segment_load, program_header.type);
        const bool empty = program_header.memory_size == 0 && program_header.file_size == 0;
        if (program_header.type != segment_load || empty)
            continue;
        const Segment segment = TRY(parse_segment(program_header, *at, file));
        if (!executable.segments.push(segment))
            return refuse(Fault::too_many_entries, *at, max_segments, header.program_header_count);
    }
    TRY(check_apart(executable));
    const auto holds_entry = [&](const Segment& segment) {
        return is_code(segment, executable.entry);
    };
    if (std::ranges::none_of(executable.segments, holds_entry))
        return refuse(Fault::elf_entry, offsetof(ElfHeader, entry), 0, header.entry);
    return executable;
}

} // namespace tdshim::linker
