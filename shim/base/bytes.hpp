// SPDX-License-Identifier: Apache-2.0
//
// Bytes from outside are read through Reader, which copies and checks, and written through Writer.
// Wire structures are plain structs of LittleEndian and BigEndian fields: alignment 1, no padding,
// so that their size is the size in the specification.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "shim/base/error.hpp"
#include "shim/base/speculation.hpp"

namespace tdshim {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

/// An unsigned integer as it stands in a wire structure, in byte order `Order`.
template <std::unsigned_integral T, std::endian Order>
class WireInteger {
  public:
    constexpr WireInteger() = default;
    constexpr WireInteger(T value) : bytes_(std::bit_cast<Storage>(ordered(value))) {}
    constexpr operator T() const { return ordered(std::bit_cast<T>(bytes_)); }

  private:
    using Storage = std::array<std::byte, sizeof(T)>;
    static constexpr T ordered(T value) {
        return Order == std::endian::native ? value : std::byteswap(value);
    }
    Storage bytes_{};
};

template <std::unsigned_integral T>
using LittleEndian = WireInteger<T, std::endian::little>;
template <std::unsigned_integral T>
using BigEndian = WireInteger<T, std::endian::big>;

using le16 = LittleEndian<std::uint16_t>;
using le32 = LittleEndian<std::uint32_t>;
using le64 = LittleEndian<std::uint64_t>;
using be16 = BigEndian<std::uint16_t>;
using be32 = BigEndian<std::uint32_t>;
using be64 = BigEndian<std::uint64_t>;

template <class T>
concept Wire = std::is_trivially_copyable_v<T> && alignof(T) == 1;

/// The bytes of a wire structure.
template <Wire T>
[[nodiscard]] Bytes bytes_of(const T& value) {
    return std::as_bytes(std::span(&value, 1));
}

[[nodiscard]] inline Bytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

/// The `size` bytes at `offset` of `bytes`, nothing when they do not lie inside. Every size and
/// offset of the VMM's that leads to an access passes here: speculation does not get past the
/// check.
template <class Byte>
[[nodiscard]] std::optional<std::span<Byte>> part_of(std::span<Byte> bytes, std::uint64_t offset,
                                                     std::uint64_t size) {
    if (offset > bytes.size() || size > bytes.size() - offset)
        return std::nullopt;
    speculation_barrier();
    return bytes.subspan(offset, size);
}

/// Takes values off the front of `bytes`, each copied out; never reads past the end.
class Reader {
  public:
    explicit constexpr Reader(Bytes bytes) : all_(bytes) {}

    [[nodiscard]] constexpr std::size_t offset() const { return offset_; }
    [[nodiscard]] constexpr std::size_t left() const { return all_.size() - offset_; }

    /// Errors: truncated, with the number of bytes wanted and left.
    template <Wire T>
    [[nodiscard]] Result<T> take() {
        const Bytes raw = TRY(take_bytes(sizeof(T)));
        std::array<std::byte, sizeof(T)> copy;
        std::ranges::copy(raw, copy.begin());
        return std::bit_cast<T>(copy);
    }

    [[nodiscard]] Result<Bytes> take_bytes(std::size_t count) {
        const auto out = part_of(all_, offset_, count);
        if (!out)
            return refuse(Fault::truncated, offset_, count, left());
        offset_ += count;
        return *out;
    }

  private:
    Bytes all_;
    std::size_t offset_ = 0;
};

/// A wire structure at `offset` of `bytes`.
template <Wire T>
[[nodiscard]] Result<T> read_at(Bytes bytes, std::uint64_t offset) {
    if (offset > bytes.size() || sizeof(T) > bytes.size() - offset)
        return refuse(Fault::truncated, offset, sizeof(T),
                      offset > bytes.size() ? 0 : bytes.size() - offset);
    return Reader(bytes.subspan(offset)).template take<T>();
}

/// Appends to a fixed area; what does not fit is refused whole.
class Writer {
  public:
    explicit constexpr Writer(MutableBytes area) : area_(area) {}

    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] constexpr std::size_t left() const { return area_.size() - size_; }

    [[nodiscard]] bool put(Bytes bytes) {
        if (bytes.size() > left())
            return false;
        std::ranges::copy(bytes, area_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += bytes.size();
        return true;
    }
    template <Wire T>
    [[nodiscard]] bool put(const T& value) {
        return put(bytes_of(value));
    }

  private:
    MutableBytes area_;
    std::size_t size_ = 0;
};

} // namespace tdshim
