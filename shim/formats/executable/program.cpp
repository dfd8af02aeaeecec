// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/executable/program.hpp"

#include <algorithm>

#include "shim/base/clear.hpp"
#include "shim/formats/executable/parts.hpp"

namespace tdshim::executable {

Result<void> settle_parts(Program& program, std::uint64_t least, Fault overlap) {
    program.parts.sort_by([](const Part& part) { return part.offset; });
    std::uint64_t end = 0;
    for (const Part& part : program.parts) {
        // Sizes were bounded before: nothing here comes near 64 bits.
        if (align_down(part.offset, page_size) < end)
            return refuse(overlap, part.header_offset, end, part.offset);
        end = *align_up(part.offset + part.size, page_size);
    }
    program.size = std::max(end, *align_up(least, page_size));
    if (program.size == 0 || program.size > max_size)
        return refuse(Fault::executable_size, 0, max_size, program.size);
    return {};
}

Result<void> check_entry(const Program& program, std::uint64_t at) {
    const auto holds_entry = [&](const Part& part) {
        return part.executable && program.entry >= part.offset &&
               program.entry - part.offset < part.data.size();
    };
    if (std::ranges::none_of(program.parts, holds_entry))
        return refuse(Fault::executable_no_entry, at, 0, program.entry);
    return {};
}

Result<void> load(const Program& program, Gpa base, MutableBytes memory) {
    speculation_barrier(); // the places of its parts were checked
    clear(memory);
    for (const Part& part : program.parts)
        std::ranges::copy(part.data, memory.subspan(part.offset).begin());
    if (base != program.linked_base && !program.is_relocatable)
        return refuse(Fault::relocation_missing, 0, program.linked_base.value, base.value);
    switch (program.format) {
    case Format::elf: return relocate_elf(program, base, memory);
    case Format::pe: return relocate_pe(program, base, memory);
    }
    return {};
}

} // namespace tdshim::executable
