// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/linux/vmlinux.hpp"

#include <algorithm>

namespace tdshim::linux_boot {
namespace {

using elf::Segment;

constexpr std::uint64_t kernel_half = std::uint64_t{1} << 63;
constexpr auto places = GpaRange::of<1 * MiB, 4 * GiB - 1 * MiB>();

// What the setup header of a kernel's bzImage says in every configuration [Linux
// arch/x86/boot/header.S; include/asm/setup.h, COMMAND_LINE_SIZE].
constexpr std::uint32_t command_line_limit = 2047;
constexpr std::uint32_t initrd_limit = 0x7FFF'FFFF;
constexpr std::uint8_t header_end = 0x7F; // jump_offset: all fields

Kernel kernel_of(const GpaRange& memory) {
    Kernel kernel;
    kernel.header.boot_flag = boot_flag_value;
    kernel.header.jump_offset = header_end;
    kernel.header.header = header_magic;
    kernel.header.version = oldest_version;
    kernel.header.initrd_addr_max = initrd_limit;
    kernel.header.cmdline_size = command_line_limit;
    kernel.header.init_size = static_cast<std::uint32_t>(memory.size());
    kernel.header.pref_address = memory.start().value;
    kernel.init_size = memory.size();
    kernel.preferred = memory.start();
    kernel.command_line_limit = command_line_limit;
    kernel.initrd_limit = {initrd_limit};
    return kernel;
}

Result<GpaRange> place_of(const Segment& segment) {
    const std::uint64_t at = segment.header_offset + offsetof(elf::ProgramHeader, physical_address);
    const auto place = GpaRange::make(segment.physical, segment.memory.size());
    if (!place || !places.contains(*place))
        return refuse(Fault::vmlinux_address, at, places.end().value, segment.physical.value);
    return *place;
}

bool holds(const Segment& segment, Gpa address) {
    return segment.executable && address >= segment.physical &&
           address.value - segment.physical.value < segment.data.size();
}

} // namespace

bool is_vmlinux(const elf::File& file) {
    return std::ranges::any_of(file.segments, [](const Segment& segment) {
        return segment.memory.start().value >= kernel_half;
    });
}

Result<Vmlinux> parse_vmlinux(Bytes file) {
    const elf::File parsed = TRY(elf::parse(file));
    Gpa lowest = places.end();
    Gpa highest{};
    for (const Segment& segment : parsed.segments) {
        const GpaRange place = TRY(place_of(segment));
        for (const Segment& other : parsed.segments)
            if (&other != &segment &&
                GpaRange::between(other.physical, {other.physical.value + other.memory.size()})
                    .overlaps(place))
                return refuse(Fault::elf_segment_overlap,
                              segment.header_offset +
                                  offsetof(elf::ProgramHeader, physical_address),
                              other.physical.value, place.start().value);
        lowest = std::min(lowest, place.start());
        highest = std::max(highest, place.end());
    }
    if (std::ranges::none_of(parsed.segments,
                             [&](const Segment& segment) { return holds(segment, parsed.entry); }))
        return refuse(Fault::elf_entry, offsetof(elf::ElfHeader, entry), 0, parsed.entry.value);
    const GpaRange memory = GpaRange::between(lowest, highest);
    speculation_barrier(); // the caller copies the segments to their places
    return Vmlinux{.kernel = kernel_of(memory),
                   .memory = memory,
                   .entry = parsed.entry,
                   .segments = parsed.segments};
}

Result<Vmlinux> raw_vmlinux(const GpaRange& memory, Gpa entry) {
    if (!places.contains(memory) || entry < memory.start() || entry >= memory.end())
        return refuse(Fault::vmlinux_address, 0, memory.start().value, entry.value);
    return Vmlinux{.kernel = kernel_of(memory), .memory = memory, .entry = entry, .segments = {}};
}

} // namespace tdshim::linux_boot
