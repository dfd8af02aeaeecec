// SPDX-License-Identifier: Apache-2.0
//
// HLT for a guest that asks for it by TDVMCALL. QEMU lets a plugin neither wait for an interrupt
// nor see one, but a vCPU that executes HLT does: it is sent to an STI and HLT in the guest's own
// code, and back to where the TDCALL ended as soon as it comes out behind them.
#pragma once

#include <cstdint>

#include "tools/td-emu/plugin/qemu_api.hpp"
#include "tools/tdx-model/registers.hpp"

namespace tdshim::td_emu {

/// To be called for the first instruction of every block that is translated.
void watch_end_of_halt(qemu_plugin_insn* instruction);

/// Whether the HLT that the vCPU is about to execute is one that it was sent to: the guest has
/// `registers` then.
[[nodiscard]] bool is_sent_to_halt(const tdx_model::Registers& registers);

/// Halts the vCPU whose thread this is, which goes on at `next` with `registers`, as the VMM left
/// them; from a callback that may set the program counter. `takes_interrupts`: one wakes the vCPU.
/// Returns only where the guest's code around `next` has no such instructions.
void halt_before(std::uint64_t next, const tdx_model::Registers& registers,
                 const tdx_model::Registers& before, bool takes_interrupts);

} // namespace tdshim::td_emu
