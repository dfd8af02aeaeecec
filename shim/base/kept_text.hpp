// SPDX-License-Identifier: Apache-2.0
//
// The beginning of a text that grows, for whom it is shown later.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tdshim {

/// Room for `capacity` bytes. What comes when they are full is counted alone.
template <std::size_t capacity>
class KeptText {
  public:
    void add(std::string_view text) {
        const std::size_t kept = std::min(text.size(), capacity - size_);
        std::ranges::copy(text.substr(0, kept), characters_.data() + size_);
        size_ += kept;
        lost_ += text.size() - kept;
    }

    [[nodiscard]] std::string_view text() const { return {characters_.data(), size_}; }
    /// How many bytes of the text were not kept.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }

  private:
    std::array<char, capacity> characters_{};
    std::size_t size_ = 0;
    std::uint64_t lost_ = 0;
};

} // namespace tdshim
