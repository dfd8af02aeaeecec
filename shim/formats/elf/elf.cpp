// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/elf/elf.hpp"

#include <algorithm>

namespace tdshim::elf {
namespace {

constexpr std::uint16_t type_executable = 2;           // ET_EXEC
constexpr std::uint16_t type_position_independent = 3; // ET_DYN
constexpr std::uint16_t machine_x86_64 = 62;           // EM_X86_64

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
    if (header.type != type_executable && header.type != type_position_independent)
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
    speculation_barrier();
    return file.subspan(header.offset, header.file_size);
}

Result<Segment> parse_segment(const ProgramHeader& header, std::uint64_t at, Bytes file) {
    Segment segment{.header_offset = at,
                    .memory = {},
                    .physical = {header.physical_address},
                    .data = TRY(segment_data(header, at, file)),
                    .writable = (header.flags & flag_writable) != 0,
                    .executable = (header.flags & flag_executable) != 0};
    if (header.memory_size < header.file_size)
        return refuse(Fault::elf_segment_size, at + offsetof(ProgramHeader, memory_size),
                      header.file_size, header.memory_size);
    const auto memory = GpaRange::make({header.virtual_address}, header.memory_size);
    if (!memory)
        return refuse(Fault::elf_segment_address, at + offsetof(ProgramHeader, memory_size),
                      memory.error().expected, header.memory_size);
    segment.memory = *memory;
    return segment;
}

Result<void> check_apart(const SegmentList& segments) {
    for (std::size_t i = 0; i < segments.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (segments[i].memory.overlaps(segments[j].memory))
                return refuse(Fault::elf_segment_overlap,
                              segments[i].header_offset + offsetof(ProgramHeader, virtual_address),
                              segments[j].memory.end().value, segments[i].memory.start().value);
    return {};
}

/// Offset in the file of program header `index`.
Result<std::uint64_t> program_header_at(const ElfHeader& header, std::uint64_t index, Bytes file) {
    const auto at =
        checked_add<std::uint64_t>(header.program_headers, index * sizeof(ProgramHeader));
    if (!at)
        return refuse(Fault::elf_header, offsetof(ElfHeader, program_headers), file.size(),
                      header.program_headers);
    return *at;
}

Result<void> add(File& parsed, const ProgramHeader& header, std::uint64_t at, Bytes file) {
    switch (header.type) {
    case segment_interpreter:
        return refuse(Fault::elf_not_executable, at, segment_load, header.type);
    case segment_dynamic: parsed.dynamic = Part{at, TRY(segment_data(header, at, file))}; return {};
    case segment_load: break;
    default: return {};
    }
    if (header.memory_size == 0 && header.file_size == 0)
        return {};
    const Segment segment = TRY(parse_segment(header, at, file));
    if (!parsed.segments.push(segment))
        return refuse(Fault::too_many_entries, at, max_segments, max_segments + 1);
    return {};
}

} // namespace

bool has_magic(Bytes file) {
    constexpr std::size_t magic_size = 4;
    return file.size() >= magic_size &&
           std::ranges::equal(file.first(magic_size),
                              std::as_bytes(std::span(expected_ident)).first(magic_size));
}

Result<File> parse(Bytes file) {
    const auto header = TRY(parse_header(file));
    File parsed{.is_position_independent = header.type == type_position_independent,
                .entry = {header.entry},
                .segments = {},
                .dynamic = {}};
    for (std::uint64_t i = 0; i < header.program_header_count; ++i) {
        const std::uint64_t at = TRY(program_header_at(header, i, file));
        const auto program_header = TRY(read_at<ProgramHeader>(file, at));
        TRY(add(parsed, program_header, at, file));
    }
    TRY(check_apart(parsed.segments));
    return parsed;
}

Result<void> check_permissions(const Segment& segment) {
    if (!segment.writable || !segment.executable)
        return {};
    return refuse(Fault::elf_segment_writable_executable,
                  segment.header_offset + offsetof(ProgramHeader, flags), 0,
                  flag_writable | flag_executable);
}

bool is_code(const Segment& segment, Gpa address) {
    return segment.executable && address >= segment.memory.start() &&
           address.value - segment.memory.start().value < segment.data.size();
}

Result<std::uint64_t> file_size(Bytes file) {
    const auto header = TRY(parse_header(file));
    // Sections, which nobody loads, stand behind the segments, and their headers at the end.
    const std::uint64_t sections =
        std::uint64_t{header.section_header_count} * header.section_header_size;
    const auto end = checked_add<std::uint64_t>(header.section_headers, sections);
    if (!end || *end > file.size())
        return refuse(Fault::truncated, offsetof(ElfHeader, section_headers), end.value_or(0),
                      file.size());
    std::uint64_t size = std::max<std::uint64_t>(*end, sizeof(ElfHeader));
    for (std::uint64_t i = 0; i < header.program_header_count; ++i) {
        const std::uint64_t at = TRY(program_header_at(header, i, file));
        const auto program_header = TRY(read_at<ProgramHeader>(file, at));
        TRY(segment_data(program_header, at, file));
        size = std::max(
            {size, at + sizeof(ProgramHeader), program_header.offset + program_header.file_size});
    }
    return size;
}

} // namespace tdshim::elf
