// SPDX-License-Identifier: Apache-2.0
//
// What tests of parsers share: inputs put together byte by byte, without the wire structures that
// are under test, and a comparison of refusals with all their numbers.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shim/base/bytes.hpp"
#include "shim/base/error.hpp"

namespace tdshim::test {

/// A growing byte string, little-endian.
class Blob {
  public:
    Blob& u8(std::uint64_t value) { return number(value, 1); }
    Blob& u16(std::uint64_t value) { return number(value, 2); }
    Blob& u32(std::uint64_t value) { return number(value, 4); }
    Blob& u64(std::uint64_t value) { return number(value, 8); }
    Blob& fill(std::size_t count, unsigned value) {
        bytes_.insert(bytes_.end(), count, std::byte(value));
        return *this;
    }
    Blob& text(std::string_view characters) {
        for (const char c : characters)
            bytes_.push_back(std::byte(static_cast<unsigned char>(c)));
        return *this;
    }
    Blob& bytes(Bytes more) {
        bytes_.insert(bytes_.end(), more.begin(), more.end());
        return *this;
    }
    /// "DE 82 B5": the bytes as a hex dump shows them.
    Blob& dump(std::string_view pairs) {
        for (std::size_t i = 0; i + 1 < pairs.size(); i += 3)
            u8(std::stoul(std::string(pairs.substr(i, 2)), nullptr, 16));
        return *this;
    }

    /// Overwrites `size` bytes at `offset`.
    Blob& patch(std::size_t offset, std::size_t size, std::uint64_t value) {
        for (std::size_t i = 0; i < size; ++i)
            bytes_.at(offset + i) = std::byte(static_cast<unsigned char>(value >> (8 * i)));
        return *this;
    }
    Blob& patch(std::size_t offset, const Blob& other) {
        for (std::size_t i = 0; i < other.size(); ++i)
            bytes_.at(offset + i) = other.bytes_[i];
        return *this;
    }
    void resize(std::size_t size) { bytes_.resize(size); }

    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] Bytes view() const { return bytes_; }
    [[nodiscard]] const std::vector<std::byte>& vector() const { return bytes_; }

  private:
    Blob& number(std::uint64_t value, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i)
            bytes_.push_back(std::byte(static_cast<unsigned char>(value >> (8 * i))));
        return *this;
    }
    std::vector<std::byte> bytes_;
};

[[nodiscard]] inline std::vector<std::byte> copy_of(Bytes bytes) {
    return {bytes.begin(), bytes.end()};
}

/// `result` is a refusal with exactly this fault and these numbers.
template <class T>
void require_refused(const Result<T>& result, Fault fault, std::uint64_t at, std::uint64_t expected,
                     std::uint64_t found) {
    REQUIRE_FALSE(result.has_value());
    const Error error = result.error();
    CHECK(sentence(error.fault) == sentence(fault));
    CHECK(error.at == at);
    CHECK(error.expected == expected);
    CHECK(error.found == found);
}

} // namespace tdshim::test
