// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/td_devices.hpp"

#include <format>

namespace tdshim::td_emu {

std::vector<std::string> defaults_of_td_devices() {
    std::vector<std::string> options{"-global", "virtio-device.iommu_platform=on"};
    // Those that know virtio's legacy interface, and have an option against it.
    for (const char* const transitional :
         {"virtio-9p-pci", "virtio-balloon-pci", "virtio-blk-pci", "virtio-net-pci",
          "virtio-rng-pci", "virtio-scsi-pci", "virtio-serial-pci", "vhost-scsi-pci",
          "vhost-user-blk-pci", "vhost-user-scsi-pci", "vhost-vsock-pci"}) {
        options.emplace_back("-global");
        options.push_back(std::format("{}.disable-legacy=on", transitional));
    }
    return options;
}

std::string undone_default(const std::vector<std::string>& arguments) {
    for (const std::string& argument : arguments)
        for (const char* const word : {"iommu_platform=off", "disable-legacy=off"})
            if (argument.contains(word))
                return argument;
    return {};
}

} // namespace tdshim::td_emu
