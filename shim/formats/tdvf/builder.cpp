// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/tdvf/builder.hpp"

namespace tdshim::tdvf {
namespace {

constexpr std::size_t table_size =
    3 * sizeof(TableEntryTail) + sizeof(ImageInfo) + sizeof(le32); // two entries and the footer

SectionEntry entry_of(const Section& section) {
    return {.data_offset = section.data_offset,
            .raw_size = section.raw_size,
            .memory_address = section.memory.start().value,
            .memory_size = section.memory.size(),
            .type = static_cast<std::uint32_t>(section.type),
            .attributes = section.attributes};
}

bool put_descriptor(Writer& writer, std::span<const Section> sections) {
    const auto count = static_cast<std::uint32_t>(sections.size());
    const Descriptor descriptor{
        .signature = descriptor_signature,
        .length = static_cast<std::uint32_t>(sizeof(Descriptor) + count * sizeof(SectionEntry)),
        .version = descriptor_version,
        .sections = count};
    bool fits = writer.put(metadata_guid) && writer.put(descriptor);
    for (const Section& section : sections)
        fits = fits && writer.put(entry_of(section));
    return fits;
}

template <Wire T>
bool put_entry(Writer& writer, const T& data, const Guid& guid) {
    return writer.put(data) && writer.put(TableEntryTail{sizeof(T) + sizeof(TableEntryTail), guid});
}

/// The table from its far end to the footer; the entry nearest to the footer is found first.
bool put_table(Writer& writer, std::uint32_t descriptor_from_end, const ImageInfo& info) {
    return put_entry(writer, info, image_info_entry_guid) &&
           put_entry(writer, le32(descriptor_from_end), metadata_entry_guid) &&
           writer.put(TableEntryTail{table_size, footer_guid});
}

} // namespace

Result<std::uint32_t> write_metadata(MutableBytes image, std::size_t room_from_end,
                                     std::span<const Section> sections, const ImageInfo& info) {
    constexpr std::size_t fixed = footer_tail + table_size;
    if (room_from_end > image.size() || room_from_end < fixed)
        return refuse(Fault::reset_vector_slot, image.size(), fixed, room_from_end);
    const std::size_t room_at = image.size() - room_from_end;
    Writer metadata(image.subspan(room_at, room_from_end - fixed));
    Writer table(image.subspan(image.size() - fixed, table_size));
    const std::size_t descriptor_at = room_at + sizeof(metadata_guid);
    const auto from_end = static_cast<std::uint32_t>(image.size() - descriptor_at);
    if (!put_descriptor(metadata, sections) || !put_table(table, from_end, info))
        return refuse(Fault::reset_vector_slot, room_at, room_from_end - fixed, metadata.size());
    const auto offset = static_cast<std::uint32_t>(descriptor_at);
    Writer pointer(image.last(legacy_pointer_from_end));
    static_cast<void>(pointer.put(le32(offset))); // its room was counted above
    return offset;
}

} // namespace tdshim::tdvf
