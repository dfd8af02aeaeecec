// SPDX-License-Identifier: Apache-2.0
//
// The little chipset set-up that QEMU's q35 machine needs before Linux: where PCI configuration
// space (ECAM) and the power-management registers are. QEMU describes both in its ACPI tables,
// which it makes at the moment when they are read. Bus numbers, BARs and interrupts Linux assigns
// itself.
#include "shim/platform/devices/devices.hpp"
#include "shim/platform/devices/ports.hpp"

namespace tdshim::devices {
namespace {

constexpr std::uint16_t address_port = 0xCF8;
constexpr std::uint16_t data_port = 0xCFC;

// [Intel 3 Series Express Chipset Family datasheet, 5.1; Intel ICH9 datasheet, 13.1]
constexpr std::uint32_t host_bridge = 0x00 << 11;
constexpr std::uint32_t lpc_bridge = 0x1F << 11;
constexpr std::uint32_t host_bridge_id = 0x29C0'8086;
constexpr std::uint32_t lpc_bridge_id = 0x2918'8086;

constexpr std::uint32_t pciexbar_low = 0x60;
constexpr std::uint32_t pciexbar_high = 0x64;
constexpr std::uint32_t ecam_base = 0xB000'0000; // where QEMU's memory below 4 GiB always ends
constexpr std::uint32_t ecam_enable = 1;         // 256 MiB, 256 buses

constexpr std::uint32_t pm_base = 0x40;
constexpr std::uint32_t pm_ports = 0x600;
constexpr std::uint32_t pm_base_is_io = 1;
constexpr std::uint32_t acpi_control = 0x44;
constexpr std::uint32_t acpi_enable = 0x80;

void select(std::uint32_t device, std::uint32_t offset) {
    out32(address_port, 0x8000'0000 | device | offset);
}
std::uint32_t read_config(std::uint32_t device, std::uint32_t offset) {
    select(device, offset);
    return in32(data_port);
}
void write_config(std::uint32_t device, std::uint32_t offset, std::uint32_t value) {
    select(device, offset);
    out32(data_port, value);
}

} // namespace

void prepare_q35() {
    if (read_config(host_bridge, 0) != host_bridge_id ||
        read_config(lpc_bridge, 0) != lpc_bridge_id)
        return;
    write_config(host_bridge, pciexbar_high, 0);
    write_config(host_bridge, pciexbar_low, ecam_base | ecam_enable);
    write_config(lpc_bridge, pm_base, pm_ports | pm_base_is_io);
    write_config(lpc_bridge, acpi_control,
                 (read_config(lpc_bridge, acpi_control) & ~0xFFU) | acpi_enable);
}

} // namespace tdshim::devices
