// SPDX-License-Identifier: Apache-2.0
//
// Bytes that a VMM supplied and that are used by their copy alone: copying consumes them, so that
// nobody can look at the copy and go on with the source, which other data may overwrite.
#pragma once

#include <algorithm>
#include <utility>

#include "shim/base/bytes.hpp"

namespace tdshim {

class Foreign {
  public:
    constexpr Foreign() = default;
    explicit constexpr Foreign(Bytes bytes) : bytes_(bytes) {}
    constexpr Foreign(Foreign&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    constexpr Foreign& operator=(Foreign&& other) noexcept {
        bytes_ = std::exchange(other.bytes_, {});
        return *this;
    }
    Foreign(const Foreign&) = delete;
    Foreign& operator=(const Foreign&) = delete;
    constexpr ~Foreign() = default;

    [[nodiscard]] constexpr std::size_t size() const { return bytes_.size(); }

    /// Copies the bytes to the start of `destination`, which holds them all, and forgets where they
    /// came from: the object is empty afterwards.
    void move_to(MutableBytes destination) {
        std::ranges::copy(std::exchange(bytes_, {}), destination.begin());
    }

  private:
    Bytes bytes_;
};

} // namespace tdshim
