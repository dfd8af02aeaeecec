// SPDX-License-Identifier: Apache-2.0
#include "linker/profile.hpp"

#include "shim/memory/layout.hpp"
#include "tools/vmm/image_rules.hpp"

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

Result<void> check_profile_qemu(const tdvf::Metadata& metadata, std::uint64_t image_size) {
    // Linked images run from the smallest memory that the shim itself fits into.
    const auto broken =
        vmm::violations(vmm::Kind::qemu, image_size, metadata, layout::shared_window.end().value);
    if (!broken.empty())
        return std::unexpected(broken.front().error);
    if (metadata.legacy_pointer != metadata.offset)
        return refuse(Fault::metadata_pointer, metadata.offset, metadata.offset,
                      metadata.legacy_pointer.value_or(0));
    return {};
}

} // namespace tdshim::linker
