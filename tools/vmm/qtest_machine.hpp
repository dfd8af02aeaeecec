// SPDX-License-Identifier: Apache-2.0
//
// A QEMU whose processors stand still and that does what it is told by its qtest protocol [QEMU
// docs/devel/testing/qtest.rst]: ports and memory of a machine as a firmware would find them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "tools/common/failure.hpp"

namespace tdshim::vmm {

class QtestMachine {
  public:
    QtestMachine() = default;
    ~QtestMachine();
    QtestMachine(const QtestMachine&) = delete;
    QtestMachine& operator=(const QtestMachine&) = delete;

    /// Starts QEMU with these arguments, of which the first is the program, and what qtest needs.
    [[nodiscard]] tools::Outcome<> start(std::vector<std::string> arguments);

    /// 0 when QEMU does not answer; read_item() fails then.
    [[nodiscard]] std::uint32_t in32(std::uint16_t port);
    void out32(std::uint16_t port, std::uint32_t value);

    /// The first `size` bytes of a fw_cfg item, by DMA into the machine's memory.
    [[nodiscard]] tools::Outcome<std::vector<std::byte>> read_item(std::uint16_t selector,
                                                                   std::size_t size);

  private:
    [[nodiscard]] tools::Outcome<std::string> command(const std::string& line);
    [[nodiscard]] tools::Outcome<std::string> exchange(const std::string& line);
    [[nodiscard]] tools::Outcome<std::string> answer();

    std::string program_;
    std::optional<tools::Failure> failure_; ///< the first, which is that of all commands after it
    pid_t process_ = 0;
    int to_ = -1;
    int from_ = -1;
    std::string buffer_;
};

} // namespace tdshim::vmm
