// SPDX-License-Identifier: Apache-2.0
//
// A QMP connection on which QEMU tells why its machine stopped: its exit code is the same for a
// TD's power-off and for its reset.
#pragma once

#include <string>
#include <vector>

#include "tools/common/failure.hpp"

namespace tdshim::td_emu {

class EndWatch {
  public:
    /// `starts_machine`: QEMU is given -S, and the machine started by this connection.
    [[nodiscard]] static tools::Outcome<EndWatch> open(bool starts_machine);
    ~EndWatch();
    EndWatch(EndWatch&& other) noexcept;
    EndWatch(const EndWatch&) = delete;
    EndWatch& operator=(const EndWatch&) = delete;
    EndWatch& operator=(EndWatch&&) = delete;

    /// What QEMU is to be started with, as a child, which inherits the connection.
    [[nodiscard]] std::vector<std::string> qemu_words() const;
    /// All that QEMU said, one message a line; to be asked when it has ended.
    [[nodiscard]] std::string take_messages() const;

  private:
    EndWatch(int own, int of_qemu) : own_(own), of_qemu_(of_qemu) {}

    int own_;
    int of_qemu_;
};

} // namespace tdshim::td_emu
