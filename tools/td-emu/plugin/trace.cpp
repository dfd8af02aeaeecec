// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/trace.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <span>

#include "shim/formats/tdx/calls.hpp"
#include "tools/td-emu/call_names.hpp"

namespace tdshim::td_emu {
namespace {

using namespace tdx_model;

struct Operands {
    std::uint64_t call;
    std::array<Register, 4> registers;
    std::size_t count;
};

// Intel TDX Module 1.5 ABI, guest-side interface functions.
constexpr std::array of_leaves{
    Operands{tdx::vp_info, {}, 0},
    Operands{tdx::mr_rtmr_extend, {rcx, rdx}, 2},
    Operands{tdx::vp_veinfo_get, {}, 0},
    Operands{tdx::mr_report, {rcx, rdx, r8}, 3},
    Operands{tdx::mem_page_accept, {rcx}, 1},
};
constexpr Operands of_other_leaves{0, {rcx, rdx, r8, r9}, 4};

// Intel TDX Guest-Hypervisor Communication Interface 1.5, 3.
constexpr std::array of_subfunctions{
    Operands{tdx::vmcall_cpuid, {r12, r13}, 2},
    Operands{tdx::vmcall_hlt, {r12}, 1},
    Operands{tdx::vmcall_rdmsr, {r12}, 1},
    Operands{tdx::vmcall_wrmsr, {r12, r13}, 2},
    Operands{tdx::vmcall_get_info, {r12}, 1},
    Operands{tdx::vmcall_map_gpa, {r12, r13}, 2},
    Operands{0x10002, {r12, r13}, 2}, // GetQuote
    Operands{tdx::vmcall_report_fatal_error, {r12}, 1},
    Operands{tdx::vmcall_setup_event_notify, {r12}, 1},
};
constexpr Operands of_other_subfunctions{0, {r12, r13, r14, r15}, 4};

const Operands& find(std::span<const Operands> known, std::uint64_t call, const Operands& other) {
    const auto found = std::ranges::find(known, call, &Operands::call);
    return found == known.end() ? other : *found;
}

constexpr std::array names{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                           "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

void add(std::string& line, Register number, const Registers& registers) {
    line += std::format(" {}={:#x}", names[number], registers[number]);
}

std::string name_and_operands(const Registers& before) {
    const bool is_vmcall = before[rax] == tdx::vp_vmcall;
    const std::uint64_t leaf = before[rax] & 0xFFFF;
    const std::uint64_t subfunction = before[r10] == 0 ? before[r11] : ~std::uint64_t{0};
    std::string line =
        is_vmcall ? "TDVMCALL " + subfunction_name(subfunction) : "TDCALL " + leaf_name(leaf);
    const Operands& operands = is_vmcall ? find(of_subfunctions, subfunction, of_other_subfunctions)
                                         : find(of_leaves, leaf, of_other_leaves);
    if (is_vmcall && before[r10] != 0)
        for (const Register number : {r10, r11})
            add(line, number, before);
    for (const Register number : std::span(operands.registers).first(operands.count))
        add(line, number, before);
    return line;
}

} // namespace

Trace::Trace(const std::string& file) {
    if (file.empty())
        return;
    file_ = std::fopen(file.c_str(), "w");
    if (file_ == nullptr)
        std::perror(("td-emu: " + file).c_str());
}

void Trace::write(unsigned vcpu, std::uint64_t rip, const Registers& before, const Registers& after,
                  const Outcome& outcome) {
    const bool is_vmcall = before[rax] == tdx::vp_vmcall;
    std::string line =
        std::format(" vcpu {} rip {:#x} {} ->", vcpu, rip, name_and_operands(before));
    add(line, rax, after);
    if (is_vmcall)
        add(line, r10, after);
    for (std::size_t i = 0; i < after.size(); ++i)
        if (after[i] != before[i] && i != rax && !(is_vmcall && i == r10))
            add(line, static_cast<Register>(i), after);
    if (outcome.finding)
        line += " finding: " + outcome.finding->rule;
    if (outcome.fatal_error)
        line += " fatal error: " + *outcome.fatal_error;
    const std::lock_guard lock(mutex_);
    std::fprintf(file_, "%llu%s\n", static_cast<unsigned long long>(++calls_), line.c_str());
}

} // namespace tdshim::td_emu
