// SPDX-License-Identifier: Apache-2.0
#include "tools/common/text.hpp"

#include <format>

namespace tdshim::tools {

std::string hex(std::uint64_t value, int digits) {
    return std::format("0x{:0{}x}", value, digits);
}

std::string hex(Bytes bytes) {
    std::string text;
    for (const std::byte byte : bytes)
        text += std::format("{:02x}", std::to_integer<unsigned>(byte));
    return text;
}

std::string text_of(const GpaRange& range) {
    if (range.empty())
        return "-";
    return hex(range.start().value) + " - " + hex(range.end().value - 1);
}

std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c >= ' ' && c <= '~' && c != '\\')
            out += c;
        else if (c == '\\')
            out += "\\\\";
        else
            out += std::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return out;
}

} // namespace tdshim::tools
