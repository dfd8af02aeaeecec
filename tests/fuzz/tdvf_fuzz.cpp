// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a firmware image: what is accepted keeps the promises of metadata.hpp and
// footer.hpp, and the builder's own output for the same sections is accepted again.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "shim/formats/tdvf/builder.hpp"
#include "shim/formats/tdvf/footer.hpp"

using namespace tdshim;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

void check_sections(const tdvf::Metadata& metadata, Bytes image) {
    bool tells_memory = false;
    for (const tdvf::Section& section : metadata.sections) {
        tells_memory |= section.type == tdvf::SectionType::td_hob ||
                        section.type == tdvf::SectionType::perm_mem;
        if (section.raw_size != 0)
            require(section.data_offset <= image.size() &&
                    section.raw_size <= image.size() - section.data_offset);
        require(is_aligned(section.memory.start().value | section.memory.size(), page_size));
        for (const tdvf::Section& other : metadata.sections)
            require(&other == &section || !other.memory.overlaps(section.memory));
    }
    require(tells_memory && metadata.offset < image.size());
}

/// The same sections, written into the same image with a room at its end.
void check_rebuilt(const tdvf::Metadata& metadata, Bytes image) {
    constexpr std::size_t room = 0x1000;
    std::vector<std::byte> rebuilt(image.begin(), image.end());
    if (rebuilt.size() < room || !tdvf::write_metadata(rebuilt, room, metadata.sections.view(), {}))
        return;
    const auto again = tdvf::parse_metadata(rebuilt);
    require(again && again->found_by_footer && again->legacy_pointer == again->offset &&
            again->sections.size() == metadata.sections.size());
}

void check_image(Bytes image) {
    if (const auto metadata = tdvf::parse_metadata(image)) {
        check_sections(*metadata, image);
        check_rebuilt(*metadata, image);
    }
    const auto info = tdvf::find_image_info(image);
    if (info && *info)
        require((*info)->payload_size <= (*info)->payload_from_end &&
                (*info)->payload_from_end <= (*info)->image_size);
}

void put_guid(std::vector<std::byte>& image, std::size_t from_end, const Guid& guid) {
    if (from_end <= image.size())
        std::ranges::copy(guid.bytes, MutableBytes(image).last(from_end).begin());
}

/// `bytes` with GUIDs where they stand in an image of ours.
std::vector<std::byte> with_guids(Bytes bytes) {
    std::vector<std::byte> image(bytes.begin(), bytes.end());
    constexpr std::size_t footer = tdvf::footer_tail + sizeof(Guid);
    constexpr std::size_t first_entry = footer + sizeof(tdvf::TableEntryTail);
    constexpr std::size_t second_entry = first_entry + sizeof(le32) + sizeof(tdvf::TableEntryTail);
    put_guid(image, footer, tdvf::footer_guid);
    put_guid(image, first_entry, tdvf::metadata_entry_guid);
    put_guid(image, second_entry, tdvf::image_info_entry_guid);
    return image;
}

/// A small image whose section entries are `entries`.
std::vector<std::byte> with_sections(Bytes entries) {
    using tdvf::TableEntryTail;
    const auto count = static_cast<std::uint32_t>(entries.size() / sizeof(tdvf::SectionEntry));
    const tdvf::Descriptor descriptor{
        tdvf::descriptor_signature,
        static_cast<std::uint32_t>(sizeof(descriptor) + count * sizeof(tdvf::SectionEntry)),
        tdvf::descriptor_version, count};
    constexpr std::uint16_t entry_size = sizeof(le32) + sizeof(TableEntryTail);
    const TableEntryTail entry{entry_size, tdvf::metadata_entry_guid};
    const TableEntryTail footer{entry_size + sizeof(footer), tdvf::footer_guid};
    std::vector<std::byte> image(sizeof(descriptor) + entries.size() + sizeof(le32) +
                                 sizeof(entry) + sizeof(footer) + tdvf::footer_tail);
    Writer writer(image);
    require(writer.put(descriptor) && writer.put(entries) &&
            writer.put(le32(static_cast<std::uint32_t>(image.size()))) && writer.put(entry) &&
            writer.put(footer));
    return image;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes image = std::as_bytes(std::span(data, size));
    check_image(image);
    check_image(with_guids(image));
    check_image(with_sections(image));
    return 0;
}
