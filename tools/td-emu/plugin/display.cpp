// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/display.hpp"

namespace tdshim::td_emu {
namespace {

/// A VGA-compatible device decodes it whatever its base addresses say [PCI Code and ID Assignment
/// 1.11, base class 03h, sub-class 00h].
constexpr auto vga_memory = GpaRange::between({0xA0000}, {0xC0000});
constexpr std::uint32_t vga_class = 0x03'00'00;

// PCI's first way to configuration space [PCI Local Bus 3.0, 3.2.2.3.2].
constexpr std::uint16_t address_port = 0xCF8;
constexpr std::uint16_t data_port = 0xCFC;
constexpr std::uint32_t enable = 1U << 31;
constexpr std::uint32_t id_offset = 0;
constexpr std::uint32_t class_offset = 8; ///< the revision in its lowest byte
constexpr std::uint32_t absent_id = 0xFFFF'FFFF;
/// Of the first bus: QEMU's bridges pass VGA's addresses on where the firmware tells them to, and
/// none has run.
constexpr std::uint32_t functions = 32 * 8;

} // namespace

std::uint32_t Display::read_configuration(std::uint32_t function, std::uint32_t offset) {
    qtest_.write_port(address_port, 4, enable | function << 8 | offset);
    return qtest_.read_port(data_port, 4);
}

bool Display::is_there() {
    const std::uint32_t address = qtest_.read_port(address_port, 4);
    bool found = false;
    for (std::uint32_t function = 0; function < functions && !found; ++function)
        found = read_configuration(function, id_offset) != absent_id &&
                read_configuration(function, class_offset) >> 8 == vga_class;
    qtest_.write_port(address_port, 4, address);
    return found;
}

bool Display::takes(Gpa address) {
    if (address.value < vga_memory.start().value || address.value >= vga_memory.end().value)
        return false;
    if (!found_)
        found_ = is_there();
    return *found_;
}

} // namespace tdshim::td_emu
