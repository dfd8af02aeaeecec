// SPDX-License-Identifier: Apache-2.0
//
// ELF executables [System V ABI, 5; x86-64 psABI, 4.4 and 5]: a position-independent one has a
// dynamic section that leads to relocations relative to its base, and to nothing else.
#include <algorithm>
#include <optional>

#include "shim/formats/elf/elf.hpp"
#include "shim/formats/executable/parts.hpp"

namespace tdshim::executable {
namespace {

using elf::Dynamic;
using elf::ElfHeader;
using elf::Relocation;

/// What the dynamic section says of relocations, in virtual addresses.
struct RelocationTable {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    std::uint64_t entry_size = sizeof(Relocation);
};

Result<RelocationTable> read_dynamic(const elf::Part& dynamic, Bytes file) {
    RelocationTable table;
    const auto start = static_cast<std::uint64_t>(dynamic.bytes.data() - file.data());
    Reader entries(dynamic.bytes);
    while (entries.left() >= sizeof(Dynamic)) {
        const std::uint64_t at = start + entries.offset();
        const auto entry = TRY(entries.take<Dynamic>());
        switch (entry.tag) {
        case elf::dynamic_end: return table;
        case elf::dynamic_rela: table.address = entry.value; break;
        case elf::dynamic_rela_size: table.size = entry.value; break;
        case elf::dynamic_rela_entry_size: table.entry_size = entry.value; break;
        case elf::dynamic_needed:
        case elf::dynamic_plt_size:
        case elf::dynamic_rel:
        case elf::dynamic_packed_relocations:
            return refuse(Fault::elf_dynamic, at, elf::dynamic_rela, entry.tag);
        default: break;
        }
    }
    return table;
}

/// The table's bytes, which are data of a segment.
Result<Bytes> find_table(const RelocationTable& table, const elf::File& parsed) {
    if (table.entry_size != sizeof(Relocation) || table.size % sizeof(Relocation) != 0)
        return refuse(Fault::elf_dynamic, parsed.dynamic->header_offset, sizeof(Relocation),
                      table.entry_size != sizeof(Relocation) ? table.entry_size : table.size);
    for (const elf::Segment& segment : parsed.segments) {
        if (table.address < segment.memory.start().value)
            continue;
        const std::uint64_t offset = table.address - segment.memory.start().value;
        if (const auto found = part_of(segment.data, offset, table.size))
            return *found;
    }
    return refuse(Fault::relocation_place, parsed.dynamic->header_offset, table.size,
                  table.address);
}

Result<void> add_relocations(Program& program, const elf::File& parsed, Bytes file) {
    if (!parsed.is_position_independent)
        return {};
    program.is_relocatable = true;
    if (!parsed.dynamic)
        return {};
    const RelocationTable table = TRY(read_dynamic(*parsed.dynamic, file));
    if (table.size == 0)
        return {};
    program.relocations = TRY(find_table(table, parsed));
    program.relocations_at = static_cast<std::uint64_t>(program.relocations.data() - file.data());
    return {};
}

} // namespace

Result<Program> parse_elf(Bytes file) {
    const elf::File parsed = TRY(elf::parse(file));
    if (!parsed.is_position_independent && parsed.dynamic)
        return refuse(Fault::elf_dynamic, parsed.dynamic->header_offset);
    Gpa lowest{~std::uint64_t{0}};
    for (const elf::Segment& segment : parsed.segments)
        lowest = std::min(lowest, Gpa{align_down(segment.memory.start().value, page_size)});
    Program program{.format = Format::elf, .linked_base = lowest, .parts = {}, .relocations = {}};
    for (const elf::Segment& segment : parsed.segments) {
        TRY(elf::check_permissions(segment));
        if (segment.memory.end().value - lowest.value > max_size)
            return refuse(Fault::executable_size,
                          segment.header_offset + offsetof(elf::ProgramHeader, virtual_address),
                          max_size, segment.memory.end().value - lowest.value);
        // There is room: an ELF file has fewer segments than a program parts.
        static_assert(elf::max_segments <= max_parts);
        static_cast<void>(program.parts.push({.header_offset = segment.header_offset,
                                              .offset = segment.memory.start().value - lowest.value,
                                              .size = segment.memory.size(),
                                              .data = segment.data,
                                              .writable = segment.writable,
                                              .executable = segment.executable}));
    }
    TRY(settle_parts(program, 0, Fault::elf_page_shared));
    program.entry = parsed.entry.value - lowest.value;
    TRY(check_entry(program, offsetof(ElfHeader, entry)));
    TRY(add_relocations(program, parsed, file));
    return program;
}

Result<void> relocate_elf(const Program& program, Gpa base, MutableBytes memory) {
    const std::uint64_t difference = base.value - program.linked_base.value;
    Reader table(program.relocations);
    while (table.left() > 0) {
        const std::uint64_t at = program.relocations_at + table.offset();
        const auto relocation = TRY(table.take<Relocation>());
        if (relocation.info != elf::relocation_relative)
            return refuse(Fault::relocation_kind, at + offsetof(Relocation, info),
                          elf::relocation_relative, relocation.info);
        const std::uint64_t offset = relocation.offset - program.linked_base.value;
        if (offset > memory.size() || memory.size() - offset < sizeof(le64))
            return refuse(Fault::relocation_place, at, memory.size(), relocation.offset);
        speculation_barrier();
        std::ranges::copy(bytes_of(le64{relocation.addend + difference}),
                          memory.subspan(offset).begin());
    }
    return {};
}

} // namespace tdshim::executable
