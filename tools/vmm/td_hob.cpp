// SPDX-License-Identifier: Apache-2.0
#include "tools/vmm/td_hob.hpp"

#include <algorithm>

#include "shim/formats/hob/list_writer.hpp"

namespace tdshim::vmm {
namespace {

// [QEMU hw/i386/pc_q35.c, pc_q35_init]
constexpr std::uint64_t large_memory = 0xB000'0000;
constexpr std::uint64_t low_memory_of_large = 0x8000'0000;
// [Cloud Hypervisor arch/src/x86_64/layout.rs]
constexpr std::uint64_t hole_of_cloud_hypervisor = 3 * GiB;

constexpr std::uint32_t memory_attributes = 7;   // present, initialized, tested
constexpr std::uint32_t mmio_attributes = 0x403; // present, initialized, uncacheable

struct Piece {
    GpaRange range;
    bool is_added = false;
};

/// `ram` in pieces, in address order, those of `added` by themselves.
std::vector<Piece> pieces_of(const std::vector<GpaRange>& ram, std::vector<GpaRange> added) {
    std::ranges::sort(added, {}, &GpaRange::start);
    std::vector<Piece> pieces;
    for (const GpaRange& range : ram) {
        Gpa at = range.start();
        for (const GpaRange& section : added) {
            if (!range.contains(section))
                continue;
            if (at < section.start())
                pieces.push_back({GpaRange::between(at, section.start()), false});
            pieces.push_back({section, true});
            at = section.end();
        }
        if (at < range.end())
            pieces.push_back({GpaRange::between(at, range.end()), false});
    }
    return pieces;
}

std::vector<GpaRange> carved_out(Kind kind, const tdvf::Metadata& metadata) {
    std::vector<GpaRange> added;
    for (const tdvf::Section& section : metadata.sections)
        if (section.type == tdvf::SectionType::temp_mem ||
            (section.type == tdvf::SectionType::td_hob && kind != Kind::cloud_hypervisor))
            added.push_back(section.memory);
    return added;
}

} // namespace

std::vector<GpaRange> ram_of(Kind kind, std::uint64_t size) {
    const std::uint64_t low = kind == Kind::cloud_hypervisor
                                  ? std::min(size, hole_of_cloud_hypervisor)
                              : size >= large_memory ? low_memory_of_large
                                                     : size;
    std::vector<GpaRange> ram{GpaRange::between({0}, {low})};
    if (size > low)
        ram.push_back(GpaRange::between({4 * GiB}, {4 * GiB + size - low}));
    return ram;
}

Result<std::vector<std::byte>> td_hob(Kind kind, const std::vector<GpaRange>& ram,
                                      const tdvf::Metadata& metadata, const GpaRange& place,
                                      const HobExtras& extras) {
    using hob::ResourceType;
    const bool uses_type_7 = kind != Kind::cloud_hypervisor || metadata.found_by_footer;
    const auto added = uses_type_7 ? ResourceType::system_memory : ResourceType::memory_reserved;
    const auto unaccepted =
        uses_type_7 ? ResourceType::memory_unaccepted : ResourceType::system_memory;
    std::vector<std::byte> bytes(place.size());
    hob::ListWriter list(bytes);
    for (const Piece& piece : pieces_of(ram, carved_out(kind, metadata)))
        list.resource(piece.range, piece.is_added ? added : unaccepted, memory_attributes);
    for (const GpaRange& range : extras.mmio)
        list.resource(range, ResourceType::memory_mapped_io, mmio_attributes);
    for (const std::vector<std::byte>& table : extras.acpi_tables)
        list.guid(hob::acpi_table_guid, table);
    if (extras.payload && extras.payload_form == PayloadInfoForm::packed)
        list.unpadded_guid(
            hob::payload_info_guid,
            bytes_of(hob::PackedPayloadInfo{extras.payload->image_type, extras.payload->entry}));
    else if (extras.payload)
        list.guid(hob::payload_info_guid, bytes_of(*extras.payload));
    if (extras.initrd)
        list.guid(hob::initrd_info_guid, bytes_of(*extras.initrd));
    bytes.resize(TRY(list.finish(place.start())));
    return bytes;
}

} // namespace tdshim::vmm
