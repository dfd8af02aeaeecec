// SPDX-License-Identifier: Apache-2.0
//
// The two instructions by which a TD reaches the TDX module, apart from all that is made of them:
// tests put a model of the module here.
#include "shim/platform/x86/instructions.hpp"

#include "shim/platform/td/tdcall.hpp"

namespace tdshim::td {
namespace {

constexpr std::uint32_t tdx_leaf = 0x21;
// "IntelTDX    " in EBX, EDX, ECX.
constexpr std::uint32_t tdx_ebx = 0x65746E49;
constexpr std::uint32_t tdx_edx = 0x5844546C;
constexpr std::uint32_t tdx_ecx = 0x20202020;

} // namespace

bool module_answers_cpuid() {
    if (x86::cpuid(0).eax < tdx_leaf)
        return false;
    const x86::CpuidResult leaf = x86::cpuid(tdx_leaf);
    return leaf.ebx == tdx_ebx && leaf.edx == tdx_edx && leaf.ecx == tdx_ecx;
}

void tdcall(Registers& registers) {
    register std::uint64_t r8 asm("r8") = registers.r8;
    register std::uint64_t r9 asm("r9") = registers.r9;
    register std::uint64_t r10 asm("r10") = registers.r10;
    register std::uint64_t r11 asm("r11") = registers.r11;
    register std::uint64_t r12 asm("r12") = registers.r12;
    register std::uint64_t r13 asm("r13") = registers.r13;
    register std::uint64_t r14 asm("r14") = registers.r14;
    register std::uint64_t r15 asm("r15") = registers.r15;
    asm volatile(".byte 0x66, 0x0F, 0x01, 0xCC"
                 : "+a"(registers.rax), "+c"(registers.rcx), "+d"(registers.rdx),
                   "+b"(registers.rbx), "+S"(registers.rsi), "+D"(registers.rdi), "+r"(r8),
                   "+r"(r9), "+r"(r10), "+r"(r11), "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15)
                 :
                 : "memory", "cc");
    registers.r8 = r8;
    registers.r9 = r9;
    registers.r10 = r10;
    registers.r11 = r11;
    registers.r12 = r12;
    registers.r13 = r13;
    registers.r14 = r14;
    registers.r15 = r15;
}

} // namespace tdshim::td
