// SPDX-License-Identifier: Apache-2.0
#include "tools/common/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>
#include <limits>

namespace tdshim::tools {
namespace {

/// Bytes of a GUID in the order in which people write it [UEFI 2.10, appendix A].
constexpr std::array<std::size_t, 16> guid_order{3, 2, 1,  0,  5,  4,  7,  6,
                                                 8, 9, 10, 11, 12, 13, 14, 15};

/// All of `digits`, at least one.
std::optional<std::uint64_t> number_of(std::string_view digits, int base) {
    std::uint64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, value, base);
    return error == std::errc{} && stopped == end ? std::optional(value) : std::nullopt;
}

/// The power of two that a unit of bytes is.
std::optional<std::size_t> power_of(std::string_view unit) {
    constexpr std::string_view letters = "KMGTPE";
    constexpr std::size_t bits_each = 10;
    std::string upper(unit);
    for (char& c : upper)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const std::size_t letter = upper.empty() ? letters.npos : letters.find(upper[0]);
    if (letter == letters.npos)
        return upper.empty() || upper == "B" ? std::optional<std::size_t>(0) : std::nullopt;
    const std::string rest = upper.substr(1);
    return rest.empty() || rest == "B" || rest == "IB" ? std::optional(bits_each * (letter + 1))
                                                       : std::nullopt;
}

} // namespace

std::string hex(std::uint64_t value, int digits) {
    return std::format("0x{:0{}x}", value, digits);
}

std::optional<std::uint64_t> number_of_hex(std::string_view text) {
    constexpr std::string_view prefix = "0x";
    constexpr std::size_t most_digits = 2 * sizeof(std::uint64_t);
    if (!text.starts_with(prefix) || text.size() > prefix.size() + most_digits)
        return std::nullopt;
    return number_of(text.substr(prefix.size()), 16);
}

std::optional<std::uint64_t> number_of(std::string_view text) {
    if (text.starts_with("0x"))
        return number_of(text.substr(2), 16);
    const bool may_be_octal = text.size() > 1 && text.starts_with('0');
    return may_be_octal ? std::nullopt : number_of(text, 10);
}

std::optional<std::uint64_t> size_of(std::string_view text) {
    if (const auto bytes = number_of(text))
        return bytes;
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = number_of(text.substr(0, digits));
    const auto power = power_of(text.substr(digits));
    if (!number || !power || *number > (std::numeric_limits<std::uint64_t>::max() >> *power))
        return std::nullopt;
    return *number << *power;
}

std::string hex(Bytes bytes) {
    std::string text;
    for (const std::byte byte : bytes)
        text += std::format("{:02x}", std::to_integer<unsigned>(byte));
    return text;
}

std::optional<std::vector<std::byte>> bytes_of_hex(std::string_view digits) {
    if (digits.size() % 2 != 0)
        return std::nullopt;
    std::vector<std::byte> bytes;
    bytes.reserve(digits.size() / 2);
    for (; !digits.empty(); digits.remove_prefix(2)) {
        std::uint8_t byte = 0;
        const char* const end = digits.data() + 2;
        const auto [stopped, error] = std::from_chars(digits.data(), end, byte, 16);
        if (error != std::errc{} || stopped != end)
            return std::nullopt;
        bytes.push_back(std::byte{byte});
    }
    return bytes;
}

std::optional<Guid> guid_of(std::string_view text) {
    constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (text.size() != form.size())
        return std::nullopt;
    std::string digits;
    for (std::size_t i = 0; i < form.size(); ++i) {
        if (form[i] == '-' && text[i] != '-')
            return std::nullopt;
        if (form[i] != '-')
            digits += text[i];
    }
    const auto bytes = bytes_of_hex(digits);
    if (!bytes)
        return std::nullopt;
    Guid guid;
    for (std::size_t i = 0; i < guid_order.size(); ++i)
        guid.bytes[guid_order[i]] = (*bytes)[i];
    return guid;
}

std::string text_of(const Guid& guid) {
    std::string text;
    for (const std::size_t at : guid_order) {
        if (const std::size_t size = text.size();
            size == 8 || size == 13 || size == 18 || size == 23)
            text += '-';
        text += hex(Bytes(guid.bytes).subspan(at, 1));
    }
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
