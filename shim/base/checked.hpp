// SPDX-License-Identifier: Apache-2.0
//
// Sums of lengths and addresses that come from outside: every one is checked.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>

namespace tdshim {

template <std::unsigned_integral T>
[[nodiscard]] constexpr std::optional<T> checked_add(T a, T b) {
    T sum{};
    if (__builtin_add_overflow(a, b, &sum))
        return std::nullopt;
    return sum;
}

/// `value` rounded up to a multiple of `alignment`, a power of two.
[[nodiscard]] constexpr std::optional<std::uint64_t> align_up(std::uint64_t value,
                                                              std::uint64_t alignment) {
    const auto sum = checked_add(value, alignment - 1);
    return sum ? std::optional{*sum & ~(alignment - 1)} : std::nullopt;
}

[[nodiscard]] constexpr std::uint64_t align_down(std::uint64_t value, std::uint64_t alignment) {
    return value & ~(alignment - 1);
}

[[nodiscard]] constexpr bool is_aligned(std::uint64_t value, std::uint64_t alignment) {
    return (value & (alignment - 1)) == 0;
}

} // namespace tdshim
