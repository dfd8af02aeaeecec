// SPDX-License-Identifier: Apache-2.0
//
// How deep each of the firmware's stacks was used: the lowest store inside it while RSP is in it
// and not above the store, for clearing the memory is no use of it. The stacks' pages cannot be
// filled with a pattern beforehand: what a TD accepts is zero, and the firmware relies on it. They
// stand where shim/platform/x86/stacks.hpp has them.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "shim/platform/x86/stacks.hpp"

namespace tdshim::td_emu {

struct StackUse {
    std::string name;
    std::uint64_t size = 0; ///< bytes
    std::uint64_t used = 0; ///< bytes, from the top down to the lowest store
};

class StackMarks {
  public:
    StackMarks();

    /// A store of any vCPU's, from its own callback that may read registers.
    void note(std::uint64_t address);

    /// The stacks that were used.
    [[nodiscard]] std::vector<StackUse> uses() const;

  private:
    static constexpr std::size_t count = 3 + 2 * x86::max_workers;
    struct Stack {
        std::uint64_t bottom = 0;
        std::uint64_t top = 0;
        std::atomic<std::uint64_t> lowest = 0; ///< of a stack that one vCPU uses at a time
    };
    std::array<Stack, count> stacks_;
};

} // namespace tdshim::td_emu
