// SPDX-License-Identifier: Apache-2.0
#include "linker/shim.hpp"

#include <algorithm>
#include <cstddef>

#include "shim/memory/layout.hpp"

namespace tdshim::linker {
namespace {

using elf::ProgramHeader;

/// As much of the code's memory as the image has room for.
constexpr auto code_window = GpaRange::of<layout::shim_code.start().value, layout::shim_rom_size>();
static_assert(layout::shim_code.contains(code_window));

std::uint64_t place_in_window(const Segment& segment) {
    return segment.memory.start().value - code_window.start().value;
}

Result<void> check_window(const Segment& segment, const GpaRange& window) {
    if (segment.memory.start() < window.start())
        return refuse(Fault::elf_segment_address,
                      segment.header_offset + offsetof(ProgramHeader, virtual_address),
                      window.start().value, segment.memory.start().value);
    if (segment.memory.end() > window.end())
        return refuse(Fault::elf_segment_address,
                      segment.header_offset + offsetof(ProgramHeader, memory_size),
                      window.end().value, segment.memory.end().value);
    return {};
}

} // namespace

Result<Shim> parse_shim(Bytes elf) {
    Shim shim{.executable = TRY(parse_executable(elf))};
    for (const Segment& segment : shim.executable.segments) {
        if (segment.writable) {
            TRY(check_window(segment, layout::shim_data));
            if (!segment.data.empty())
                return refuse(Fault::elf_segment_initialised_data,
                              segment.header_offset + offsetof(ProgramHeader, file_size), 0,
                              segment.data.size());
            shim.memory_size += segment.memory.size();
            continue;
        }
        TRY(check_window(segment, code_window));
        (segment.executable ? shim.code_size : shim.constants_size) += segment.memory.size();
        shim.rom_size = std::max(shim.rom_size, place_in_window(segment) + segment.memory.size());
    }
    return shim;
}

void place_in_rom(const Shim& shim, MutableBytes rom) {
    for (const Segment& segment : shim.executable.segments) {
        if (segment.writable)
            continue;
        const MutableBytes place = rom.subspan(place_in_window(segment), segment.memory.size());
        std::ranges::copy(segment.data, place.begin());
        std::ranges::fill(place.subspan(segment.data.size()), std::byte{0});
    }
}

} // namespace tdshim::linker
