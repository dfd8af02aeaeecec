// SPDX-License-Identifier: Apache-2.0
//
// How processors come to the reset vector: through the stub, and when and how often a hostile VMM
// wants; and where it lets them stand.
#pragma once

#include <cstdint>

#include "tools/td-emu/plugin/qemu_api.hpp"

namespace tdshim::td_emu {

inline constexpr std::uint64_t reset_vector = 0xFFFF'FFF0;

/// To be called at the reset vector, from a callback that may set the program counter.
void on_reset_vector(unsigned vcpu, void*);

/// To be called for every block of the firmware that is translated: VP.INIT gives R8 the value of
/// RCX, and QEMU lets it be written in 64-bit code alone, which is also the first that sees it.
void watch_for_r8(qemu_plugin_tb* block);

/// The processor comes to the instruction at `address` again, through QEMU's loop: others may want
/// it to stand still. From a callback that may set the program counter.
[[noreturn]] void stand_still(std::uint64_t address);

/// To be called for every instruction of the firmware that is translated: a fault file may want a
/// processor to stop there.
void watch_stops(qemu_plugin_insn* instruction);

/// Sends a processor that is to arrive twice back to the reset vector, in the state in which it
/// came; from a callback of 64-bit code that may set the program counter. Returns for all others.
void arrive_again(unsigned vcpu);

} // namespace tdshim::td_emu
