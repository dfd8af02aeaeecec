// SPDX-License-Identifier: Apache-2.0
//
// Where tdshim's other processors may be when the payload begins, whose memory the shim's is from
// then on.
#pragma once

#include <cstdint>

namespace tdshim::td_emu {

/// A vCPU as far as it has come.
struct Progress {
    std::uint64_t position =
        0;                  ///< of the block of instructions that it executed last, 0 before any
    std::uint64_t root = 0; ///< that it loaded CR3 with last, 0 before
};

/// In the reset vector and by page tables of it, or not yet there: nothing that it executes next
/// needs the shim's memory.
[[nodiscard]] bool is_parked(const Progress& vcpu);

} // namespace tdshim::td_emu
