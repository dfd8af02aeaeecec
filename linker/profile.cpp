// SPDX-License-Identifier: Apache-2.0
#include "linker/profile.hpp"

#include "shim/memory/layout.hpp"
#include "tools/vmm/image_rules.hpp"

namespace tdshim::linker {
namespace {

using tdvf::Section;
using tdvf::SectionType;

Section data(SectionType type, std::uint64_t offset, std::uint64_t size, const GpaRange& memory,
             std::uint32_t attributes) {
    return {.type = type,
            .data_offset = static_cast<std::uint32_t>(offset),
            .raw_size = static_cast<std::uint32_t>(size),
            .memory = memory,
            .attributes = attributes};
}

/// A part of the image at its own place below 4 GiB.
Section in_place(SectionType type, std::uint64_t offset, std::uint64_t end,
                 std::uint64_t image_size, std::uint32_t attributes = tdvf::attribute_mr_extend) {
    const std::uint64_t base = layout::image_end - image_size;
    return data(type, offset, end - offset, GpaRange::between({base + offset}, {base + end}),
                attributes);
}

Section empty(SectionType type, const GpaRange& memory, std::uint32_t attributes = 0) {
    return {
        .type = type, .data_offset = 0, .raw_size = 0, .memory = memory, .attributes = attributes};
}

std::uint32_t payload_attributes(const Plan& plan) {
    return plan.extends_payload ? tdvf::attribute_mr_extend : 0;
}

/// The image itself. QEMU knows no Payload section: there an embedded payload is part of the BFV,
/// or, to be left out of MRTD, a second CFV.
void add_image(std::vector<Section>& sections, const Plan& plan) {
    const DataPlaces places = places_of(plan);
    const bool is_bfv = plan.profile == Profile::qemu && plan.extends_payload;
    const std::uint64_t start = is_bfv ? places.payload : places.after_payload;
    sections.push_back(in_place(SectionType::bfv, start, plan.image_size, plan.image_size));
    sections.push_back(in_place(SectionType::cfv, 0, layout::cfv_size, plan.image_size));
    if (plan.profile == Profile::qemu && plan.payload_size != 0 && !plan.extends_payload)
        sections.push_back(
            in_place(SectionType::cfv, places.payload, places.after_payload, plan.image_size, 0));
}

/// What a VMM puts into memory of its own for the payload.
void add_payload(std::vector<Section>& sections, const Plan& plan) {
    if (plan.payload_size != 0)
        sections.push_back(data(SectionType::payload, places_of(plan).payload, plan.payload_size,
                                plan.payload_memory, payload_attributes(plan)));
    else
        sections.push_back(
            empty(SectionType::payload, plan.payload_memory, payload_attributes(plan)));
    if (plan.profile == Profile::tdvf_payload)
        sections.push_back(empty(SectionType::payload_param, layout::payload_param));
}

void add_infos(std::vector<Section>& sections, const Plan& plan) {
    const DataPlaces places = places_of(plan);
    if (plan.td_info_size != 0)
        sections.push_back(data(SectionType::td_info, places.td_info, plan.td_info_size, {}, 0));
    if (plan.td_params_size != 0)
        sections.push_back(
            data(SectionType::td_params, places.td_params, plan.td_params_size, {}, 0));
}

vmm::Kind vmm_of(Profile profile) {
    switch (profile) {
    case Profile::qemu: return vmm::Kind::qemu;
    case Profile::tdvf_payload: return vmm::Kind::cloud_hypervisor;
    case Profile::service_td: break;
    }
    return vmm::Kind::tdshim_spec;
}

} // namespace

DataPlaces places_of(const Plan& plan) {
    constexpr std::uint64_t payload = layout::cfv_size;
    static_assert(is_aligned(payload, page_size));
    // The end of the room for the shim's code, which it does not fill.
    const std::uint64_t infos = plan.image_size - layout::reset_vector_size - 2 * max_info_size;
    return {.payload = payload,
            .after_payload = *align_up(payload + plan.payload_size, page_size),
            .td_info = infos,
            .td_params = infos + max_info_size};
}

std::vector<Section> sections_of(const Plan& plan) {
    std::vector<Section> sections;
    add_image(sections, plan);
    sections.push_back(empty(SectionType::temp_mem, layout::shim_code));
    sections.push_back(empty(SectionType::temp_mem, layout::shim_data));
    // What the processors wait on begins as zero, or MRTD is another.
    sections.push_back(empty(SectionType::temp_mem, layout::mailbox, tdvf::attribute_mr_extend));
    if (plan.profile == Profile::service_td) {
        sections.push_back(empty(SectionType::temp_mem, layout::event_log));
        for (const GpaRange& memory :
             {layout::service_below_640k, layout::service_below_1m, layout::service_low,
              GpaRange::between({layout::service_high},
                                {layout::service_high + plan.permanent_memory})})
            sections.push_back(empty(SectionType::perm_mem, memory, tdvf::attribute_page_aug));
    } else {
        sections.push_back(empty(SectionType::td_hob, layout::td_hob));
        sections.push_back(empty(SectionType::temp_mem, layout::event_log));
    }
    if (plan.profile != Profile::qemu)
        add_payload(sections, plan);
    add_infos(sections, plan);
    return sections;
}

Result<void> check_profile(const Plan& plan, const tdvf::Metadata& metadata) {
    // Linked images run from the smallest memory that holds all that they name.
    std::uint64_t memory = layout::shared_window.end().value;
    for (const Section& section : metadata.sections)
        if (section.memory.end().value < layout::image_end - layout::max_image_size)
            memory = std::max(memory, section.memory.end().value);
    auto broken = vmm::violations(vmm_of(plan.profile), plan.image_size, metadata, memory);
    // td-shim's specification has CFV and TempMem unmeasured; no VMM that we know of minds.
    std::erase_if(broken, [&](const vmm::Violation& violation) {
        if (plan.profile != Profile::service_td || !violation.section ||
            violation.error.fault != Fault::section_attributes)
            return false;
        const Section& section = metadata.sections[*violation.section];
        return section.memory == layout::mailbox || section.type == SectionType::cfv;
    });
    // The payload of a service TD wants RAM as any other does, and no device's place.
    if (plan.profile == Profile::service_td)
        for (const vmm::Violation& violation :
             vmm::violations(vmm::Kind::cloud_hypervisor, plan.image_size, metadata, memory))
            if (violation.error.fault == Fault::section_place)
                broken.push_back(violation);
    if (!broken.empty())
        return std::unexpected(broken.front().error);
    if (metadata.legacy_pointer != metadata.offset)
        return refuse(Fault::metadata_pointer, metadata.offset, metadata.offset,
                      metadata.legacy_pointer.value_or(0));
    return {};
}

} // namespace tdshim::linker
