// SPDX-License-Identifier: Apache-2.0
#include "tools/vmm/brought.hpp"

#include "shim/formats/tdvf/footer.hpp"
#include "tools/common/files.hpp"

namespace tdshim::vmm {
namespace {

using tools::Outcome;

Outcome<std::vector<std::vector<std::byte>>> acpi_tables(const Launch& launch) {
    const auto info = TRY(tools::of_file(launch.image_file, tdvf::find_image_info(launch.image)));
    if (info && (info->options & tdvf::option_static_acpi) != 0)
        return std::vector<std::vector<std::byte>>{};
    return unlinked_tables(TRY(launch.config_files()));
}

} // namespace

bool is_filled_by_vmm(const tdvf::Metadata& metadata) {
    return metadata.find(tdvf::SectionType::payload) != nullptr ||
           metadata.find(tdvf::SectionType::perm_mem) != nullptr;
}

Outcome<Brought> bring(const Launch& launch) {
    Brought brought;
    const tdvf::Metadata& metadata = *launch.metadata;
    const bool is_filled = is_filled_by_vmm(metadata);
    if (is_filled)
        brought.placement = TRY(place_files(launch.image, metadata, launch.files));
    const tdvf::Section* const section = metadata.find(tdvf::SectionType::td_hob);
    if (section == nullptr)
        return brought;
    HobExtras extras{.mmio = {},
                     .acpi_tables = {},
                     .payload = brought.placement.payload,
                     .payload_form = launch.payload_form,
                     .initrd = brought.placement.initrd};
    if (is_filled)
        extras.acpi_tables = TRY(acpi_tables(launch));
    brought.hob_place = section->memory;
    brought.hob = TRY(
        tools::of_file(launch.image_file, td_hob(is_filled ? Kind::cloud_hypervisor : Kind::qemu,
                                                 launch.ram, metadata, section->memory, extras)));
    return brought;
}

} // namespace tdshim::vmm
