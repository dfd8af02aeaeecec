// SPDX-License-Identifier: Apache-2.0
#include "tools/common/text.hpp"

#include <array>
#include <cctype>
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

std::optional<Guid> guid_of(std::string_view text) {
    constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    constexpr std::array<std::size_t, 16> order{3, 2, 1,  0,  5,  4,  7,  6,
                                                8, 9, 10, 11, 12, 13, 14, 15};
    if (text.size() != form.size())
        return std::nullopt;
    std::string digits;
    for (std::size_t i = 0; i < form.size(); ++i) {
        const bool is_dash = form[i] == '-';
        if (is_dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0)
            return std::nullopt;
        if (!is_dash)
            digits += text[i];
    }
    Guid guid;
    for (std::size_t i = 0; i < order.size(); ++i)
        guid.bytes[order[i]] = std::byte(std::stoul(digits.substr(2 * i, 2), nullptr, 16));
    return guid;
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
