// SPDX-License-Identifier: Apache-2.0
//
// Port I/O on whatever machine this is: an instruction in a plain VM, a TDVMCALL in a TD.
#pragma once

#include <cstdint>

#include "shim/base/bytes.hpp"

namespace tdshim::devices {

void out8(std::uint16_t port, std::uint8_t value);
void out16(std::uint16_t port, std::uint16_t value);
void out32(std::uint16_t port, std::uint32_t value);
[[nodiscard]] std::uint8_t in8(std::uint16_t port);
[[nodiscard]] std::uint32_t in32(std::uint16_t port);
/// Reads `destination.size()` bytes from one port.
void in8_repeated(std::uint16_t port, MutableBytes destination);

} // namespace tdshim::devices
