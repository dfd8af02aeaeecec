// SPDX-License-Identifier: Apache-2.0
//
// One line of console output, built without a heap. What does not fit is cut off: a message is
// never a reason to fail.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shim/base/bytes.hpp"

namespace tdshim {

/// Prints as 0x followed by the digits that the value needs.
struct Hex {
    std::uint64_t value;
};

class Line {
  public:
    /// A byte that is not printable ASCII becomes \x1b: much text is the VMM's, which is not to
    /// forge a second line nor to steer the terminal. A backslash stays one, also where a line's
    /// text is put into another line.
    Line& operator<<(std::string_view text);
    Line& operator<<(std::uint64_t decimal);
    Line& operator<<(Hex hex);
    /// Two lower-case digits a byte.
    Line& operator<<(Bytes bytes);

    [[nodiscard]] std::string_view text() const { return {characters_.data(), size_}; }

  private:
    void put(char c) {
        if (size_ < characters_.size())
            characters_[size_++] = c;
    }
    std::array<char, 200> characters_{};
    std::size_t size_ = 0;
};

/// "sentence (at 0x10: expected 0x4, found 0x2)"; "sentence (at 0x10)" where nothing was compared,
/// and without the brackets when there are no numbers.
Line& operator<<(Line& line, const Error& error);

} // namespace tdshim
