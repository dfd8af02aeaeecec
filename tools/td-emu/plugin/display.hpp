// SPDX-License-Identifier: Apache-2.0
//
// Whether QEMU's machine has a display that takes the addresses of VGA, where RAM of a TD is none.
#pragma once

#include <cstdint>
#include <optional>

#include "shim/base/gpa.hpp"
#include "tools/td-emu/plugin/qtest.hpp"

namespace tdshim::td_emu {

class Display {
  public:
    explicit Display(Qtest& qtest) : qtest_(qtest) {}

    /// The devices are asked when the first such address is, and not again: what is plugged in
    /// while the machine runs does not count. To be called by one thread at a time.
    [[nodiscard]] bool takes(Gpa address);

  private:
    [[nodiscard]] bool is_there();
    [[nodiscard]] std::uint32_t read_configuration(std::uint32_t function, std::uint32_t offset);

    Qtest& qtest_;
    std::optional<bool> found_;
};

} // namespace tdshim::td_emu
