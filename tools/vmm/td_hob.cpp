// SPDX-License-Identifier: Apache-2.0
#include "tools/vmm/td_hob.hpp"

#include <algorithm>

#include "shim/formats/hob/wire.hpp"

namespace tdshim::vmm {
namespace {

// [QEMU hw/i386/pc_q35.c, pc_q35_init]
constexpr std::uint64_t large_memory = 0xB000'0000;
constexpr std::uint64_t low_memory_of_large = 0x8000'0000;

constexpr std::uint32_t attributes = 7; // present, initialized, tested

struct Piece {
    GpaRange range;
    hob::ResourceType type{};
};

bool is_carved_out(const tdvf::Section& section) {
    return section.type == tdvf::SectionType::td_hob || section.type == tdvf::SectionType::temp_mem;
}

/// `ram` in pieces, in address order.
std::vector<Piece> pieces_of(const std::vector<GpaRange>& ram, const tdvf::Metadata& metadata) {
    std::vector<GpaRange> added;
    for (const tdvf::Section& section : metadata.sections)
        if (is_carved_out(section))
            added.push_back(section.memory);
    std::ranges::sort(added, {}, &GpaRange::start);
    std::vector<Piece> pieces;
    for (const GpaRange& range : ram) {
        Gpa at = range.start();
        for (const GpaRange& section : added) {
            if (!range.contains(section))
                continue;
            if (at < section.start())
                pieces.push_back(
                    {GpaRange::between(at, section.start()), hob::ResourceType::memory_unaccepted});
            pieces.push_back({section, hob::ResourceType::system_memory});
            at = section.end();
        }
        if (at < range.end())
            pieces.push_back(
                {GpaRange::between(at, range.end()), hob::ResourceType::memory_unaccepted});
    }
    return pieces;
}

template <Wire T>
void append(std::vector<std::byte>& list, const T& value) {
    list.append_range(bytes_of(value));
}

hob::HobHeader header(hob::HobType type, std::size_t size) {
    return {static_cast<std::uint16_t>(type), static_cast<std::uint16_t>(size), 0};
}

} // namespace

std::vector<GpaRange> ram_of_q35(std::uint64_t size) {
    const std::uint64_t low = size >= large_memory ? low_memory_of_large : size;
    std::vector<GpaRange> ram{GpaRange::between({0}, {low})};
    if (size > low)
        ram.push_back(GpaRange::between({4 * GiB}, {4 * GiB + size - low}));
    return ram;
}

std::vector<std::byte> td_hob(const std::vector<GpaRange>& ram, const tdvf::Metadata& metadata,
                              Gpa base) {
    const std::vector<Piece> pieces = pieces_of(ram, metadata);
    const std::uint64_t size =
        sizeof(hob::Handoff) + pieces.size() * sizeof(hob::WireResource) + sizeof(hob::HobHeader);
    std::vector<std::byte> list;
    append(list, hob::Handoff{.header = header(hob::HobType::handoff, sizeof(hob::Handoff)),
                              .version = 9,
                              .boot_mode = 0,
                              .memory_top = 0,
                              .memory_bottom = 0,
                              .free_memory_top = 0,
                              .free_memory_bottom = 0,
                              .end_of_hob_list = base.value + size});
    for (const Piece& piece : pieces)
        append(list, hob::WireResource{
                         .header = header(hob::HobType::resource, sizeof(hob::WireResource)),
                         .owner = {},
                         .type = static_cast<std::uint32_t>(piece.type),
                         .attributes = attributes,
                         .start = piece.range.start().value,
                         .length = piece.range.size()});
    append(list, header(hob::HobType::end_of_list, sizeof(hob::HobHeader)));
    return list;
}

} // namespace tdshim::vmm
