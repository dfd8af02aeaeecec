// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/td_devices.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace tdshim::td_emu {
namespace {

/// Those that know virtio's legacy interface, and have an option against it.
constexpr std::array transitional{
    std::string_view("virtio-9p-pci"),      std::string_view("virtio-balloon-pci"),
    std::string_view("virtio-blk-pci"),     std::string_view("virtio-net-pci"),
    std::string_view("virtio-rng-pci"),     std::string_view("virtio-scsi-pci"),
    std::string_view("virtio-serial-pci"),  std::string_view("vhost-scsi-pci"),
    std::string_view("vhost-user-blk-pci"), std::string_view("vhost-user-scsi-pci"),
    std::string_view("vhost-vsock-pci")};

void set_unless_said(std::string& device, const std::string& option) {
    if (!device.contains("," + option + "="))
        device += "," + option + "=on";
}

void make_one_of_td(std::string& device) {
    const std::string type = device.substr(0, device.find(','));
    if (!type.starts_with("virtio-") && !type.starts_with("vhost-"))
        return;
    if (std::ranges::contains(transitional, type))
        set_unless_said(device, "disable-legacy");
    set_unless_said(device, "iommu_platform");
}

} // namespace

std::vector<std::string> devices_of_td(std::vector<std::string> arguments) {
    for (std::size_t i = 1; i < arguments.size(); ++i)
        if (arguments[i - 1] == "-device" || arguments[i - 1] == "--device")
            make_one_of_td(arguments[i]);
    return arguments;
}

} // namespace tdshim::td_emu
