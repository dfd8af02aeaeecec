// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/brought.hpp"

#include "shim/formats/tdvf/footer.hpp"
#include "tools/common/files.hpp"
#include "tools/vmm/td_hob.hpp"

namespace tdshim::td_emu {
namespace {

using tools::Outcome;

Outcome<vmm::Placement> place(const Options& options, Bytes image, const tdvf::Metadata& metadata) {
    vmm::BootFiles files;
    if (!options.kernel.empty())
        files.kernel = TRY(tools::read_file(options.kernel));
    if (!options.initrd.empty())
        files.initrd = TRY(tools::read_file(options.initrd));
    files.command_line = options.command_line;
    files.raw_entry = options.payload_entry;
    return vmm::place_files(image, metadata, files);
}

/// Another VMM's tables describe the devices of the machine that runs, which is QEMU's.
Outcome<std::vector<std::vector<std::byte>>> acpi_tables(const Options& options, Bytes image) {
    const auto info = TRY(tools::of_file(options.firmware, tdvf::find_image_info(image)));
    if (info && (info->options & tdvf::option_static_acpi) != 0)
        return std::vector<std::vector<std::byte>>{};
    const vmm::ConfigFiles files = TRY(vmm::config_files_of_qemu({.qemu = options.qemu,
                                                                  .memory = options.memory,
                                                                  .cpus = options.vcpus,
                                                                  .more = options.more}));
    return vmm::unlinked_tables(files);
}

} // namespace

bool is_filled_by_vmm(const tdvf::Metadata& metadata) {
    return metadata.find(tdvf::SectionType::payload) != nullptr ||
           metadata.find(tdvf::SectionType::perm_mem) != nullptr;
}

Outcome<Brought> bring(const Options& options, Bytes image, const tdvf::Metadata& metadata,
                       const std::vector<GpaRange>& ram) {
    Brought brought;
    const bool is_filled = is_filled_by_vmm(metadata);
    if (is_filled)
        brought.placement = TRY(place(options, image, metadata));
    const tdvf::Section* const section = metadata.find(tdvf::SectionType::td_hob);
    if (section == nullptr)
        return brought;
    vmm::HobExtras extras{.mmio = {},
                          .acpi_tables = {},
                          .payload = brought.placement.payload,
                          .initrd = brought.placement.initrd};
    if (is_filled)
        extras.acpi_tables = TRY(acpi_tables(options, image));
    brought.hob_place = section->memory;
    brought.hob = TRY(tools::of_file(
        options.firmware, vmm::td_hob(is_filled ? vmm::Kind::cloud_hypervisor : vmm::Kind::qemu,
                                      ram, metadata, section->memory, extras)));
    return brought;
}

} // namespace tdshim::td_emu
