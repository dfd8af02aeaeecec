// SPDX-License-Identifier: Apache-2.0
//
// The processor's mode as the shim leaves it, and control-flow enforcement as CPUID and CR4 tell.
#include "payload/runtime/exceptions.hpp"
#include "payload/selftest/checks.hpp"
#include "shim/platform/x86/instructions.hpp"

namespace tdshim::selftest {
namespace {

constexpr std::uint64_t cr0_write_protect = 1 << 16;
constexpr std::uint64_t cr4_five_levels = 1 << 12;
constexpr std::uint64_t cr4_cet = 1 << 23;
constexpr std::uint64_t rflags_interrupts = 1 << 9;

std::uint64_t read_cr4() {
    std::uint64_t value = 0;
    asm volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

std::uint64_t read_rflags() {
    std::uint64_t value = 0;
    asm volatile("pushfq; popq %0" : "=r"(value));
    return value;
}

void check_cet(Checks& checks) {
    const x86::CpuidResult features = x86::cpuid(7);
    const bool has_shadow_stacks = (features.ecx >> 7 & 1) != 0;
    const bool has_branch_tracking = (features.edx >> 20 & 1) != 0;
    const bool is_enabled = (read_cr4() & cr4_cet) != 0;
    runtime::print(Line() << "selftest: CET: shadow stacks " << (has_shadow_stacks ? "yes" : "no")
                          << ", branch tracking " << (has_branch_tracking ? "yes" : "no")
                          << ", CR4.CET " << std::uint64_t{is_enabled});
    checks.check("CET: CR4.CET is set only where CPUID has it",
                 !is_enabled || has_shadow_stacks || has_branch_tracking);
}

} // namespace

void check_processor(Checks& checks) {
    checks.check("processor: CR0.WP is set", (x86::read_cr0() & cr0_write_protect) != 0);
    checks.check("processor: page tables have four levels", (read_cr4() & cr4_five_levels) == 0);
    checks.check("processor: interrupts are off", (read_rflags() & rflags_interrupts) == 0);
    const auto exception = runtime::attempt([](void*) { asm volatile("ud2"); }, nullptr);
    checks.check("processor: UD2 is caught and left behind", exception && exception->vector == 6);
    check_cet(checks);
}

} // namespace tdshim::selftest
