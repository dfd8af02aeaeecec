// SPDX-License-Identifier: Apache-2.0
//
// PE executables [Microsoft PE Format]: sections at their places from the image's base, the headers
// as a read-only part before them, base relocations of 64 bits.
#include <algorithm>

#include "shim/formats/executable/parts.hpp"
#include "shim/formats/pe/pe.hpp"

namespace tdshim::executable {
namespace {

using pe::DataDirectory;
using pe::OptionalHeader;

std::uint64_t directory_at(const pe::File& parsed, std::size_t index) {
    return parsed.optional_header_offset + sizeof(OptionalHeader) + index * sizeof(DataDirectory);
}

/// Nothing may be asked of the loader that it does not do.
Result<void> check_standalone(const pe::File& parsed) {
    for (const std::size_t index : {pe::directory_imports, pe::directory_thread_storage})
        if (parsed.directories[index].size != 0)
            return refuse(Fault::pe_not_standalone, directory_at(parsed, index), 0,
                          parsed.directories[index].size);
    return {};
}

Result<void> add_headers(Program& program, const pe::File& parsed, Bytes file) {
    const std::uint64_t at = parsed.optional_header_offset + offsetof(OptionalHeader, headers_size);
    const std::uint64_t size = parsed.header.headers_size;
    if (size > file.size())
        return refuse(Fault::truncated, at, size, file.size());
    speculation_barrier();
    if (size != 0)
        static_cast<void>(program.parts.push(
            {.header_offset = at, .offset = 0, .size = size, .data = file.first(size)}));
    return {};
}

Result<void> add_section(Program& program, const pe::Section& section, std::uint64_t image_size) {
    const std::uint64_t at = section.header_offset;
    if (section.memory_size == 0)
        return {};
    if (section.writable && section.executable)
        return refuse(Fault::pe_section_writable_executable,
                      at + offsetof(pe::SectionHeader, characteristics));
    if (!is_aligned(section.address, page_size))
        return refuse(Fault::pe_section_alignment, at + offsetof(pe::SectionHeader, address),
                      align_down(section.address, page_size), section.address);
    if (section.address + section.memory_size > image_size)
        return refuse(Fault::pe_section_place, at + offsetof(pe::SectionHeader, address),
                      image_size, section.address + section.memory_size);
    if (!program.parts.push({.header_offset = at,
                             .offset = section.address,
                             .size = section.memory_size,
                             .data = section.data(),
                             .writable = section.writable,
                             .executable = section.executable}))
        return refuse(Fault::too_many_entries, at, max_parts, max_parts + 1);
    return {};
}

/// The relocations' bytes, which are data of a section.
Result<void> add_relocations(Program& program, const pe::File& parsed, Bytes file) {
    const DataDirectory directory = parsed.directories[pe::directory_relocations];
    // A file without any may still say that it can stand everywhere, and mean it.
    program.is_relocatable = !parsed.has_relocations_stripped;
    if (directory.size == 0)
        return {};
    for (const Part& part : program.parts) {
        if (directory.address < part.offset)
            continue;
        const std::uint64_t offset = directory.address - part.offset;
        const auto found = part_of(part.data, offset, directory.size);
        if (!found)
            continue;
        program.relocations = *found;
        program.relocations_at =
            static_cast<std::uint64_t>(program.relocations.data() - file.data());
        return {};
    }
    return refuse(Fault::relocation_place, directory_at(parsed, pe::directory_relocations),
                  directory.size, directory.address);
}

/// Adds `difference` to the 64-bit number at `offset` of `memory`.
Result<void> adjust(MutableBytes memory, std::uint64_t offset, std::uint64_t difference,
                    std::uint64_t at) {
    const auto value = read_at<le64>(memory, offset);
    if (!value)
        return refuse(Fault::relocation_place, at, memory.size(), offset);
    std::ranges::copy(bytes_of(le64{*value + difference}), memory.subspan(offset).begin());
    return {};
}

/// One block: relocations inside one page.
Result<void> relocate_block(const pe::RelocationBlock& block, Bytes entries, std::uint64_t at,
                            std::uint64_t difference, MutableBytes memory) {
    Reader list(entries);
    while (list.left() >= sizeof(le16)) {
        const std::uint64_t entry_at = at + list.offset();
        const std::uint16_t entry = TRY(list.take<le16>());
        const auto kind = static_cast<std::uint16_t>(entry >> 12);
        if (kind == pe::relocation_none)
            continue;
        if (kind != pe::relocation_64)
            return refuse(Fault::relocation_kind, entry_at, pe::relocation_64, kind);
        TRY(adjust(memory, std::uint64_t{block.page} + (entry & 0xFFFU), difference, entry_at));
    }
    return {};
}

} // namespace

Result<Program> parse_pe(Bytes file) {
    const pe::File parsed = TRY(pe::parse(file));
    TRY(check_standalone(parsed));
    const OptionalHeader& header = parsed.header;
    if (header.image_size > max_size)
        return refuse(Fault::executable_size,
                      parsed.optional_header_offset + offsetof(OptionalHeader, image_size),
                      max_size, header.image_size);
    if (!is_aligned(header.image_base, page_size))
        return refuse(Fault::pe_header,
                      parsed.optional_header_offset + offsetof(OptionalHeader, image_base),
                      align_down(header.image_base, page_size), header.image_base);
    Program program{.format = Format::pe,
                    .linked_base = {header.image_base},
                    .entry = header.entry,
                    .parts = {},
                    .relocations = {}};
    TRY(add_headers(program, parsed, file));
    for (const pe::Section& section : parsed.sections)
        TRY(add_section(program, section, header.image_size));
    TRY(settle_parts(program, header.image_size, Fault::pe_section_place));
    TRY(check_entry(program, parsed.optional_header_offset + offsetof(OptionalHeader, entry)));
    TRY(add_relocations(program, parsed, file));
    return program;
}

Result<void> relocate_pe(const Program& program, Gpa base, MutableBytes memory) {
    const std::uint64_t difference = base.value - program.linked_base.value;
    if (difference == 0)
        return {};
    Reader blocks(program.relocations);
    while (blocks.left() >= sizeof(pe::RelocationBlock)) {
        const std::uint64_t at = program.relocations_at + blocks.offset();
        const auto block = TRY(blocks.take<pe::RelocationBlock>());
        if (block.size < sizeof(block))
            return refuse(Fault::truncated, at, sizeof(block), block.size);
        const Bytes entries = TRY(blocks.take_bytes(block.size - sizeof(block)));
        TRY(relocate_block(block, entries, at + sizeof(block), difference, memory));
    }
    return {};
}

} // namespace tdshim::executable
