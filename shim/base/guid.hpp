// SPDX-License-Identifier: Apache-2.0
//
// GUIDs in the mixed byte order of UEFI 2.10, appendix A: the first three groups little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tdshim {

struct Guid {
    std::array<std::byte, 16> bytes{};
    constexpr bool operator==(const Guid&) const = default;
};

namespace detail {
/// Not constant: a literal that comes here does not compile.
void malformed_guid_literal();

consteval unsigned hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f')
        return static_cast<unsigned>(c - 'a') + 10;
    malformed_guid_literal();
    return 0;
}
} // namespace detail

inline namespace literals {
/// "96b582de-1fb2-45f7-baea-a366c55a082d"_guid
consteval Guid operator""_guid(const char* text, std::size_t length) {
    if (length != 36)
        detail::malformed_guid_literal();
    constexpr std::array<std::size_t, 16> place{3, 2, 1,  0,  5,  4,  7,  6,
                                                8, 9, 10, 11, 12, 13, 14, 15};
    Guid guid;
    std::size_t next = 0;
    for (const std::size_t at : place) {
        if (text[next] == '-')
            ++next;
        guid.bytes[at] =
            std::byte(detail::hex_digit(text[next]) * 16 + detail::hex_digit(text[next + 1]));
        next += 2;
    }
    return guid;
}
} // namespace literals

} // namespace tdshim
