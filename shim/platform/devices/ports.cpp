// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/devices/ports.hpp"

#include "shim/platform/td/td.hpp"
#include "shim/platform/td/tdvmcall.hpp"
#include "shim/platform/x86/instructions.hpp"

namespace tdshim::devices {

void out8(std::uint16_t port, std::uint8_t value) {
    td::active() ? td::write_port(port, 1, value) : x86::out8(port, value);
}

void out16(std::uint16_t port, std::uint16_t value) {
    td::active() ? td::write_port(port, 2, value) : x86::out16(port, value);
}

void out32(std::uint16_t port, std::uint32_t value) {
    td::active() ? td::write_port(port, 4, value) : x86::out32(port, value);
}

std::uint8_t in8(std::uint16_t port) {
    return td::active() ? static_cast<std::uint8_t>(td::read_port(port, 1)) : x86::in8(port);
}

std::uint32_t in32(std::uint16_t port) {
    return td::active() ? td::read_port(port, 4) : x86::in32(port);
}

void in8_repeated(std::uint16_t port, MutableBytes destination) {
    if (!td::active())
        return x86::in8_repeated(port, destination);
    for (std::byte& byte : destination)
        byte = static_cast<std::byte>(td::read_port(port, 1));
}

} // namespace tdshim::devices
