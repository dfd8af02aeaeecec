// SPDX-License-Identifier: Apache-2.0
//
// What an instruction that raised #VE would have done, asked of the VMM by TDVMCALL: CPUID, HLT,
// port I/O, RDMSR and WRMSR. The shim's handler uses it, and payloads' handlers do.
#pragma once

#include <cstdint>

#include "shim/base/error.hpp"
#include "shim/platform/td/tdcall.hpp"

namespace tdshim::td {

/// As a handler pushes them, RAX first.
struct GeneralRegisters {
    std::uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    std::uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
};

/// Leaves in `registers` what the instruction would have; RIP is the caller's to move on.
/// Errors: tdvmcall_failed; ve_not_emulated for a string instruction and any other exit reason.
[[nodiscard]] Result<void> emulate(GeneralRegisters& registers, std::uint64_t rflags,
                                   const VeInfo& info);

} // namespace tdshim::td
