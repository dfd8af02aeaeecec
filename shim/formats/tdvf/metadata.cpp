// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/tdvf/metadata.hpp"

#include <cstddef>
#include <limits>

#include "shim/formats/tdvf/footer.hpp"

namespace tdshim::tdvf {
namespace {

bool has_signature(Bytes image, std::uint64_t offset) {
    const auto signature = read_at<le32>(image, offset);
    return signature && *signature == descriptor_signature;
}

/// The pointer at end - 0x20, where it leads to a descriptor. Anything may stand there in an image
/// that has a footer table.
std::optional<std::uint32_t> legacy_pointer(Bytes image) {
    if (image.size() < legacy_pointer_from_end)
        return std::nullopt;
    const auto pointer = read_at<le32>(image, image.size() - legacy_pointer_from_end);
    if (!pointer || !has_signature(image, *pointer))
        return std::nullopt;
    return *pointer;
}

/// Offset of the descriptor by the footer table.
Result<std::uint32_t> offset_by_footer(Bytes image) {
    const auto data = TRY(find_table_entry(image, metadata_entry_guid));
    if (!data)
        return refuse(Fault::footer_no_metadata, image.size() - footer_tail);
    const auto at = static_cast<std::size_t>(data->data() - image.data());
    if (data->size() != sizeof(le32))
        return refuse(Fault::footer_entry_length, at, sizeof(le32), data->size());
    const auto from_end = TRY(read_at<le32>(*data, 0));
    if (from_end > image.size() || from_end < sizeof(Descriptor))
        return refuse(Fault::metadata_outside_image, at, image.size(), from_end);
    return static_cast<std::uint32_t>(image.size() - from_end);
}

/// Sets where the metadata of `image` stands and how that was found.
Result<Metadata> locate(Bytes image) {
    if (image.size() > std::numeric_limits<std::uint32_t>::max()) // offsets have 32 bits
        return refuse(Fault::metadata_outside_image, 0, std::numeric_limits<std::uint32_t>::max(),
                      image.size());
    Metadata metadata;
    metadata.legacy_pointer = legacy_pointer(image);
    const auto by_footer = offset_by_footer(image);
    if (by_footer) {
        metadata.offset = *by_footer;
        metadata.found_by_footer = true;
        // Two VMMs would build two different TDs from one image.
        if (metadata.legacy_pointer && *metadata.legacy_pointer != *by_footer)
            return refuse(Fault::metadata_pointer, image.size() - legacy_pointer_from_end,
                          *by_footer, *metadata.legacy_pointer);
        return metadata;
    }
    const bool no_table = by_footer.error().fault == Fault::footer_missing ||
                          by_footer.error().fault == Fault::footer_no_metadata;
    if (!no_table || !metadata.legacy_pointer)
        return std::unexpected(by_footer.error());
    metadata.offset = *metadata.legacy_pointer;
    return metadata;
}

/// Number of sections by the descriptor at `offset`, all of which lie inside the image.
Result<std::uint32_t> count_sections(Bytes image, std::uint32_t offset) {
    const auto descriptor = TRY(read_at<Descriptor>(image, offset));
    if (descriptor.signature != descriptor_signature)
        return refuse(Fault::metadata_signature, offset, descriptor_signature,
                      descriptor.signature);
    if (descriptor.version != descriptor_version)
        return refuse(Fault::metadata_version, offset + offsetof(Descriptor, version),
                      descriptor_version, descriptor.version);
    if (descriptor.sections == 0 || descriptor.sections > max_sections)
        return refuse(Fault::section_count, offset + offsetof(Descriptor, sections), max_sections,
                      descriptor.sections);
    const std::size_t size = sizeof(Descriptor) + descriptor.sections * sizeof(SectionEntry);
    if (descriptor.length != size)
        return refuse(Fault::metadata_length, offset + offsetof(Descriptor, length), size,
                      descriptor.length);
    if (size > image.size() - offset)
        return refuse(Fault::metadata_outside_image, offset, size, image.size() - offset);
    return descriptor.sections;
}

bool has_memory(SectionType type) {
    return type != SectionType::td_info && type != SectionType::td_params;
}

/// Raw data: inside the image, present or absent as the type asks.
Result<void> check_data(const SectionEntry& entry, SectionType type, std::size_t at, Bytes image) {
    const bool needs_none = type == SectionType::td_hob || type == SectionType::temp_mem ||
                            type == SectionType::perm_mem;
    const bool needs_some =
        type == SectionType::bfv || type == SectionType::cfv || !has_memory(type);
    const std::size_t raw_at = at + offsetof(SectionEntry, raw_size);
    if (needs_none && entry.raw_size != 0)
        return refuse(Fault::section_raw_size, raw_at, 0, entry.raw_size);
    if (needs_some && entry.raw_size == 0)
        return refuse(Fault::section_raw_size, raw_at, 1, 0);
    if (entry.raw_size == 0)
        return {};
    if (entry.data_offset > image.size())
        return refuse(Fault::section_data_outside_image, at, image.size(), entry.data_offset);
    if (entry.raw_size > image.size() - entry.data_offset)
        return refuse(Fault::section_data_outside_image, raw_at, image.size() - entry.data_offset,
                      entry.raw_size);
    return {};
}

/// Place in memory: whole pages, large enough for the data; none at all for some types.
Result<GpaRange> check_memory(const SectionEntry& entry, SectionType type, std::size_t at) {
    const std::size_t address_at = at + offsetof(SectionEntry, memory_address);
    const std::size_t size_at = at + offsetof(SectionEntry, memory_size);
    if (!has_memory(type)) {
        if (entry.memory_address != 0)
            return refuse(Fault::section_memory_size, address_at, 0, entry.memory_address);
        if (entry.memory_size != 0)
            return refuse(Fault::section_memory_size, size_at, 0, entry.memory_size);
        return GpaRange{};
    }
    if (!is_aligned(entry.memory_address, page_size))
        return refuse(Fault::section_alignment, address_at,
                      align_down(entry.memory_address, page_size), entry.memory_address);
    if (!is_aligned(entry.memory_size, page_size))
        return refuse(Fault::section_alignment, size_at, align_down(entry.memory_size, page_size),
                      entry.memory_size);
    if (entry.memory_size < entry.raw_size)
        return refuse(Fault::section_memory_size, size_at, entry.raw_size, entry.memory_size);
    const auto memory = GpaRange::make({entry.memory_address}, entry.memory_size);
    if (!memory)
        return refuse(Fault::section_memory_size, size_at, memory.error().expected,
                      entry.memory_size);
    return *memory;
}

Result<Section> parse_section(Bytes image, std::size_t at) {
    const auto entry = TRY(read_at<SectionEntry>(image, at));
    if (entry.type > max_section_type)
        return refuse(Fault::section_type, at + offsetof(SectionEntry, type), max_section_type,
                      entry.type);
    const auto type = static_cast<SectionType>(static_cast<std::uint32_t>(entry.type));
    TRY(check_data(entry, type, at, image));
    return Section{type, entry.data_offset, entry.raw_size, TRY(check_memory(entry, type, at)),
                   entry.attributes};
}

/// Whether one of the BFV sections holds the data of `section`.
bool inside_bfv(const Section& section, const Metadata& metadata) {
    const auto data_of = [](const Section& any) {
        return GpaRange::between({any.data_offset},
                                 {std::uint64_t{any.data_offset} + any.raw_size});
    };
    return std::ranges::any_of(metadata.sections, [&](const Section& other) {
        return other.type == SectionType::bfv && data_of(other).contains(data_of(section));
    });
}

/// PermMem the TD asks for while it runs.
Result<void> check_added_memory(const Metadata& metadata) {
    std::uint64_t left = max_added_memory;
    for (std::size_t i = 0; i < metadata.sections.size(); ++i) {
        const Section& section = metadata.sections[i];
        if (section.type == SectionType::perm_mem)
            continue;
        if (section.memory.size() > left)
            return refuse(Fault::section_memory_total,
                          metadata.offset + sizeof(Descriptor) + i * sizeof(SectionEntry) +
                              offsetof(SectionEntry, memory_size),
                          left, section.memory.size());
        left -= section.memory.size();
    }
    return {};
}

/// The rules that concern more than one section.
Result<void> check_together(const Metadata& metadata) {
    const auto& sections = metadata.sections;
    for (std::size_t i = 0; i < sections.size(); ++i) {
        const std::size_t at = metadata.offset + sizeof(Descriptor) + i * sizeof(SectionEntry);
        for (std::size_t j = 0; j < i; ++j)
            if (sections[i].memory.overlaps(sections[j].memory))
                return refuse(Fault::section_overlap, at + offsetof(SectionEntry, memory_address),
                              sections[j].memory.end().value, sections[i].memory.start().value);
        if (!has_memory(sections[i].type) && !inside_bfv(sections[i], metadata))
            return refuse(Fault::section_data_outside_bfv, at, 0, sections[i].data_offset);
    }
    TRY(check_added_memory(metadata));
    const auto tells_memory = [](const Section& section) {
        return section.type == SectionType::td_hob || section.type == SectionType::perm_mem;
    };
    if (std::ranges::none_of(sections, tells_memory))
        return refuse(Fault::section_no_td_hob, metadata.offset, 1, 0);
    return {};
}

} // namespace

std::string_view name_of(SectionType type) {
    switch (type) {
    case SectionType::bfv: return "BFV";
    case SectionType::cfv: return "CFV";
    case SectionType::td_hob: return "TD_HOB";
    case SectionType::temp_mem: return "TempMem";
    case SectionType::perm_mem: return "PermMem";
    case SectionType::payload: return "Payload";
    case SectionType::payload_param: return "PayloadParam";
    case SectionType::td_info: return "TD_INFO";
    case SectionType::td_params: return "TD_PARAMS";
    }
    return "unknown";
}

const Section* Metadata::find(SectionType type) const {
    const auto found = std::ranges::find(sections, type, &Section::type);
    return found == sections.end() ? nullptr : &*found;
}

Result<Metadata> parse_metadata(Bytes image) {
    Metadata metadata = TRY(locate(image));
    const std::uint32_t count = TRY(count_sections(image, metadata.offset));
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::size_t at = metadata.offset + sizeof(Descriptor) + i * sizeof(SectionEntry);
        if (!metadata.sections.push(TRY(parse_section(image, at))))
            return refuse(Fault::section_count, at, max_sections, count);
    }
    TRY(check_together(metadata));
    return metadata;
}

} // namespace tdshim::tdvf
