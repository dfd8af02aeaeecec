// SPDX-License-Identifier: Apache-2.0
//
// What a processor can be told to refuse to ring 0: executing (SMEP) and touching (SMAP) pages of
// ring 3, and to ring 3: the instructions that tell where descriptor tables stand (UMIP). The shim
// has no page of ring 3 and runs nothing there, so that only an entry of the page tables that was
// overwritten is ever refused [Intel SDM 3A, 2.5 and 4.6].
#pragma once

namespace tdshim::x86 {

/// Sets CR4's SMEP, SMAP and UMIP where CPUID offers them, on this processor. All three are a TD's
/// own to set [Intel TDX Module 1.5 ABI, CPU state]; the other bits stay as they are.
void protect_supervisor();

} // namespace tdshim::x86
