// SPDX-License-Identifier: Apache-2.0
//
// Where PCI configuration space (ECAM) and the power-management registers of QEMU's q35 machine are
// once the firmware has set them up. QEMU describes both in its ACPI tables, which it makes at the
// moment when they are read, so that who predicts the tables has to set up the same.
// [Intel 3 Series Express Chipset Family datasheet, 5.1; Intel ICH9 datasheet, 13.1]
#pragma once

#include <cstdint>

namespace tdshim::devices::q35 {

inline constexpr std::uint16_t address_port = 0xCF8;
inline constexpr std::uint16_t data_port = 0xCFC;

inline constexpr std::uint32_t host_bridge = 0x00 << 11;
inline constexpr std::uint32_t lpc_bridge = 0x1F << 11;
inline constexpr std::uint32_t host_bridge_id = 0x29C0'8086;
inline constexpr std::uint32_t lpc_bridge_id = 0x2918'8086;

inline constexpr std::uint32_t pciexbar_low = 0x60;
inline constexpr std::uint32_t pciexbar_high = 0x64;
inline constexpr std::uint32_t ecam_base = 0xB000'0000; // where memory below 4 GiB always ends
inline constexpr std::uint32_t ecam_enable = 1;         // 256 MiB, 256 buses

inline constexpr std::uint32_t pm_base = 0x40;
inline constexpr std::uint32_t pm_ports = 0x600;
inline constexpr std::uint32_t pm_base_is_io = 1;
inline constexpr std::uint32_t acpi_control = 0x44;
inline constexpr std::uint32_t acpi_enable = 0x80;

/// Value of the address port for a register of a device's configuration space.
constexpr std::uint32_t configuration_address(std::uint32_t device, std::uint32_t offset) {
    return 0x8000'0000 | device | offset;
}

/// Sets the chipset up: `Ports` has in32(port) and out32(port, value). False where it is another.
template <class Ports>
bool set_up(Ports& ports) {
    const auto read = [&](std::uint32_t device, std::uint32_t offset) -> std::uint32_t {
        ports.out32(address_port, configuration_address(device, offset));
        return ports.in32(data_port);
    };
    const auto write = [&](std::uint32_t device, std::uint32_t offset, std::uint32_t value) {
        ports.out32(address_port, configuration_address(device, offset));
        ports.out32(data_port, value);
    };
    if (read(host_bridge, 0) != host_bridge_id || read(lpc_bridge, 0) != lpc_bridge_id)
        return false;
    write(host_bridge, pciexbar_high, 0);
    write(host_bridge, pciexbar_low, ecam_base | ecam_enable);
    write(lpc_bridge, pm_base, pm_ports | pm_base_is_io);
    write(lpc_bridge, acpi_control, (read(lpc_bridge, acpi_control) & ~0xFFU) | acpi_enable);
    return true;
}

} // namespace tdshim::devices::q35
