// SPDX-License-Identifier: Apache-2.0
#include "shim/base/line.hpp"

#include <bit>

namespace tdshim {
namespace {
constexpr std::string_view digits = "0123456789abcdef";
}

Line& Line::operator<<(std::string_view text) {
    for (const char c : text) {
        if (c >= ' ' && c <= '~') {
            put(c);
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        for (const char shown : {'\\', 'x', digits[byte >> 4], digits[byte & 0xF]})
            put(shown);
    }
    return *this;
}

Line& Line::operator<<(std::uint64_t decimal) {
    std::array<char, 20> reversed;
    std::size_t count = 0;
    do {
        reversed[count++] = digits[decimal % 10];
        decimal /= 10;
    } while (decimal != 0);
    while (count != 0)
        put(reversed[--count]);
    return *this;
}

Line& Line::operator<<(Hex hex) {
    *this << "0x";
    const auto significant = static_cast<unsigned>(std::bit_width(hex.value | 1));
    for (unsigned shift = (significant - 1) / 4 * 4 + 4; shift != 0; shift -= 4)
        put(digits[(hex.value >> (shift - 4)) & 0xF]);
    return *this;
}

Line& Line::operator<<(Bytes bytes) {
    for (const std::byte byte : bytes) {
        put(digits[std::to_integer<unsigned>(byte >> 4)]);
        put(digits[std::to_integer<unsigned>(byte & std::byte{0xF})]);
    }
    return *this;
}

Line& operator<<(Line& line, const Error& error) {
    line << sentence(error.fault);
    if (error.at == 0 && error.expected == 0 && error.found == 0)
        return line;
    line << " (at " << Hex{error.at};
    if (error.expected != 0 || error.found != 0)
        line << ": expected " << Hex{error.expected} << ", found " << Hex{error.found};
    return line << ")";
}

} // namespace tdshim
