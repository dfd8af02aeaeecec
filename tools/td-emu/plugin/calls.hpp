// SPDX-License-Identifier: Apache-2.0
//
// The instructions that the model answers, in the firmware and in the payload: TDCALL, and CPUID
// of the leaf by which a TD is known. `data` is the Instruction.
#pragma once

namespace tdshim::td_emu {

void on_tdcall(unsigned vcpu, void* data);

/// Leaf 0x21 is the module's; the rest QEMU answers.
void on_cpuid(unsigned vcpu, void* data);

} // namespace tdshim::td_emu
