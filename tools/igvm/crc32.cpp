// SPDX-License-Identifier: Apache-2.0
#include "tools/igvm/crc32.hpp"

#include <array>

namespace tdshim::igvm {
namespace {

constexpr std::uint32_t reflected_polynomial = 0xEDB88320;

/// What eight steps do to each byte.
constexpr std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> steps{};
    for (std::uint32_t byte = 0; byte < steps.size(); ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1) ^ ((value & 1) != 0 ? reflected_polynomial : 0);
        steps[byte] = value;
    }
    return steps;
}();

} // namespace

void Crc32::update(Bytes bytes) {
    for (const std::byte byte : bytes)
        state_ = (state_ >> 8) ^ table[(state_ ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
}

} // namespace tdshim::igvm
