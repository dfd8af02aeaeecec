// SPDX-License-Identifier: Apache-2.0
//
// Guest physical addresses and ranges of them. A GpaRange never wraps around: the only ways to make
// one check that.
#pragma once

#include <compare>
#include <cstdint>

#include "shim/base/checked.hpp"
#include "shim/base/error.hpp"

namespace tdshim {

inline constexpr std::uint64_t KiB = 1024;
inline constexpr std::uint64_t MiB = 1024 * KiB;
inline constexpr std::uint64_t GiB = 1024 * MiB;
inline constexpr std::uint64_t page_size = 4 * KiB;
inline constexpr std::uint64_t large_page_size = 2 * MiB;

/// A guest physical address, without the shared bit.
struct Gpa {
    std::uint64_t value = 0;
    constexpr auto operator<=>(const Gpa&) const = default;
};

class GpaRange {
  public:
    constexpr GpaRange() = default;

    /// `size` bytes from `start`. Errors: range_wraps when the end does not fit in 64 bits.
    [[nodiscard]] static constexpr Result<GpaRange> make(Gpa start, std::uint64_t size) {
        if (!checked_add(start.value, size))
            return refuse(Fault::range_wraps, start.value, ~start.value, size);
        return GpaRange(start.value, size);
    }

    /// A range whose numbers are in the source code.
    template <std::uint64_t Start, std::uint64_t Size>
    [[nodiscard]] static consteval GpaRange of() {
        static_assert(Start + Size >= Start);
        return GpaRange(Start, Size);
    }

    /// From `start` up to but without `end`; empty when `end` is not above `start`.
    [[nodiscard]] static constexpr GpaRange between(Gpa start, Gpa end) {
        return GpaRange(start.value, end > start ? end.value - start.value : 0);
    }

    [[nodiscard]] constexpr Gpa start() const { return {start_}; }
    [[nodiscard]] constexpr std::uint64_t size() const { return size_; }
    [[nodiscard]] constexpr Gpa end() const { return {start_ + size_}; }
    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }

    [[nodiscard]] constexpr bool contains(const GpaRange& other) const {
        return other.start() >= start() && other.end() <= end();
    }
    [[nodiscard]] constexpr bool overlaps(const GpaRange& other) const {
        return !empty() && !other.empty() && start() < other.end() && other.start() < end();
    }
    constexpr bool operator==(const GpaRange&) const = default;

  private:
    constexpr GpaRange(std::uint64_t start, std::uint64_t size) : start_(start), size_(size) {}
    std::uint64_t start_ = 0;
    std::uint64_t size_ = 0;
};

} // namespace tdshim
