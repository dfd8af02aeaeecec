// SPDX-License-Identifier: Apache-2.0
//
// How processors come to the reset vector: through the stub, and when and how often a hostile VMM
// wants.
#pragma once

#include <cstdint>

namespace tdshim::td_emu {

inline constexpr std::uint64_t reset_vector = 0xFFFF'FFF0;

/// To be called at the reset vector, from a callback that may set the program counter.
void on_reset_vector(unsigned vcpu, void*);

/// Sends a processor that is to arrive twice back to the reset vector, in the state in which it
/// came; from a callback of 64-bit code that may set the program counter. Returns for all others.
void arrive_again(unsigned vcpu);

} // namespace tdshim::td_emu
