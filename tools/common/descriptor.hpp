// SPDX-License-Identifier: Apache-2.0
//
// A file descriptor that is closed when its owner goes, and how a file is read by one.
#pragma once

#include <string>
#include <unistd.h>
#include <utility>

#include "shim/base/bytes.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() { static_cast<void>(close_now()); }
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;

    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] bool is_open() const { return number_ >= 0; }
    /// False when the system reports a late write error.
    [[nodiscard]] bool close_now() {
        const int number = std::exchange(number_, -1);
        return number < 0 || ::close(number) == 0;
    }

  private:
    int number_;
};

/// Fills the beginning of `piece` with the next bytes of `file`, which `input` is open for; 0 bytes
/// at its end. Tries again after an interruption.
[[nodiscard]] Outcome<std::size_t> read_piece(const std::string& file, const Descriptor& input,
                                              MutableBytes piece);

} // namespace tdshim::tools
