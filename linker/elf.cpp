// SPDX-License-Identifier: Apache-2.0
#include "linker/elf.hpp"

#include <algorithm>
#include <cstddef>

namespace tdshim::linker {
namespace {

using elf::ElfHeader;
using elf::ProgramHeader;

Result<void> check_place(const Segment& segment) {
    const std::uint64_t at = segment.header_offset;
    const Gpa start = segment.memory.start();
    if (segment.physical != start)
        return refuse(Fault::elf_segment_address, at + offsetof(ProgramHeader, physical_address),
                      start.value, segment.physical.value);
    // What begins on a page of its own overlaps nothing that the parser did not see.
    if (!is_aligned(start.value, page_size))
        return refuse(Fault::elf_segment_alignment, at + offsetof(ProgramHeader, virtual_address),
                      align_down(start.value, page_size), start.value);
    return {};
}

} // namespace

Result<Executable> parse_executable(Bytes file) {
    const elf::File parsed = TRY(elf::parse(file));
    if (parsed.is_position_independent)
        return refuse(Fault::elf_not_executable, offsetof(ElfHeader, type), 2, 3);
    if (parsed.dynamic)
        return refuse(Fault::elf_not_executable, parsed.dynamic->header_offset, 1, 2);
    for (const Segment& segment : parsed.segments) {
        TRY(elf::check_permissions(segment));
        TRY(check_place(segment));
    }
    const auto holds_entry = [&](const Segment& segment) {
        return elf::is_code(segment, parsed.entry);
    };
    if (std::ranges::none_of(parsed.segments, holds_entry))
        return refuse(Fault::elf_entry, offsetof(ElfHeader, entry), 0, parsed.entry.value);
    return Executable{.entry = parsed.entry, .segments = parsed.segments};
}

} // namespace tdshim::linker
