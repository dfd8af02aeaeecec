// SPDX-License-Identifier: Apache-2.0
#include "linker/profile.hpp"

#include "shim/memory/layout.hpp"

namespace tdshim::linker {
namespace {

using tdvf::Section;
using tdvf::SectionType;

Section from_image(SectionType type, std::uint64_t offset, std::uint64_t end,
                   std::uint64_t image_size) {
    const std::uint64_t base = layout::image_end - image_size;
    return {.type = type,
            .data_offset = static_cast<std::uint32_t>(offset),
            .raw_size = static_cast<std::uint32_t>(end - offset),
            .memory = GpaRange::between({base + offset}, {base + end}),
            .attributes = tdvf::attribute_mr_extend};
}

Section empty(SectionType type, const GpaRange& memory) {
    return {.type = type, .data_offset = 0, .raw_size = 0, .memory = memory, .attributes = 0};
}

} // namespace

std::vector<Section> sections_for_qemu(std::uint64_t image_size) {
    return {
        from_image(SectionType::bfv, layout::cfv_size, image_size, image_size),
        from_image(SectionType::cfv, 0, layout::cfv_size, image_size),
        empty(SectionType::temp_mem, layout::shim_code),
        empty(SectionType::temp_mem, layout::shim_data),
        empty(SectionType::td_hob, layout::td_hob),
        empty(SectionType::temp_mem, layout::event_log),
    };
}

Result<void> check_profile_qemu(const tdvf::Metadata& metadata) {
    constexpr auto last_type = static_cast<std::uint32_t>(SectionType::temp_mem);
    const std::uint64_t at = metadata.offset;
    if (!metadata.found_by_footer)
        return refuse(Fault::footer_no_metadata, at);
    if (metadata.legacy_pointer != metadata.offset)
        return refuse(Fault::metadata_pointer, at, metadata.offset,
                      metadata.legacy_pointer.value_or(0));
    if (metadata.sections.size() < 2)
        return refuse(Fault::section_count, at, 2, metadata.sections.size());
    for (const Section& section : metadata.sections) {
        const auto type = static_cast<std::uint32_t>(section.type);
        if (type > last_type)
            return refuse(Fault::section_type, at, last_type, type);
        if (!is_aligned(section.data_offset, page_size))
            return refuse(Fault::section_alignment, at, align_down(section.data_offset, page_size),
                          section.data_offset);
        if (section.raw_size != 0 && section.raw_size != section.memory.size())
            return refuse(Fault::section_memory_size, at, section.raw_size, section.memory.size());
    }
    return {};
}

} // namespace tdshim::linker
