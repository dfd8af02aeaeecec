// SPDX-License-Identifier: Apache-2.0
#include "tools/tdx-model/td.hpp"

#include "shim/formats/tdx/calls.hpp"
#include "tools/tdx-model/status.hpp"

namespace tdshim::tdx_model {
namespace {

using namespace tdx;

// Leaves that no part of the firmware calls.
enum MoreLeaves : std::uint64_t {
    vp_cpuidve_set = 5,
    vp_rd = 9,
    vp_wr = 10,
    sys_rd = 11,
    mr_verifyreport = 22,
};

constexpr std::uint64_t leaf_mask = 0xFFFF;
constexpr std::uint64_t version_mask = 0xFF'0000;

} // namespace

void Td::count(std::uint64_t leaf_and_version) {
    const std::lock_guard lock(mutex_);
    ++counts_.tdcalls[leaf_and_version & leaf_mask];
}

measure::RegisterBank Td::registers() const {
    const std::lock_guard lock(mutex_);
    return rtmrs_;
}

Counts Td::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

Outcome Td::tdcall(unsigned vcpu, Registers& registers) {
    if (registers[rax] == vp_vmcall)
        return vmcall(registers, [&](Registers& shown) { return answer(vcpu, shown); });
    const std::lock_guard lock(mutex_);
    ++counts_.tdcalls[registers[rax] & leaf_mask];
    return execute(vcpu, registers);
}

Outcome Td::execute(unsigned vcpu, Registers& registers) {
    const std::uint64_t leaf = registers[rax] & leaf_mask;
    const bool has_version = (registers[rax] & version_mask) != 0;
    if ((registers[rax] & ~(leaf_mask | version_mask)) != 0 || (has_version && leaf != vm_rd)) {
        registers[rax] = operand_invalid | rax;
        return {};
    }
    switch (leaf) {
    case tdx::vp_info: vp_info(vcpu, registers); break;
    case mr_rtmr_extend: return extend_rtmr(registers);
    case vp_veinfo_get: take_ve_info(vcpu, registers); break;
    case mr_report: return write_report(registers);
    case mem_page_accept: return accept_page(registers);
    case vm_rd: read_td_field(registers); break;
    case vm_wr: registers[rax] = write_td_field(registers); break;
    case vp_rd: read_vcpu_field(vcpu, registers); break;
    case vp_wr: registers[rax] = write_vcpu_field(vcpu, registers); break;
    case sys_rd: read_system_field(registers); break;
    case vp_cpuidve_set: registers[rax] = set_cpuid_ve(vcpu, registers); break;
    case mr_verifyreport: return verify_report(registers);
    default: registers[rax] = operand_invalid | rax; break;
    }
    return {};
}

void Td::vp_info(unsigned vcpu, Registers& registers) const {
    registers[rax] = success;
    registers[rcx] = configuration_.gpa_width;
    registers[rdx] = configuration_.td_info.attributes;
    registers[r8] = std::uint64_t{configuration_.vcpus} << 32 | configuration_.vcpus;
    registers[r9] = vcpu;
    registers[r10] = 1; // there is TDG.SYS.RD
    registers[r11] = 0;
}

bool Td::raise_ve(unsigned vcpu, const VeInfo& info) {
    const std::lock_guard lock(mutex_);
    return ve_infos_.try_emplace(vcpu, info).second;
}

void Td::take_ve_info(unsigned vcpu, Registers& registers) {
    const auto kept = ve_infos_.extract(vcpu);
    const VeInfo info = kept.empty() ? VeInfo{} : kept.mapped();
    registers[rax] = kept.empty() ? no_valid_ve_info : success;
    registers[rcx] = info.exit_reason;
    registers[rdx] = info.exit_qualification;
    registers[r8] = info.linear_address;
    registers[r9] = info.gpa;
    registers[r10] = info.instruction_length;
}

std::optional<Gpa> Td::find_operand(Registers& registers, Register number, std::uint64_t size,
                                    OperandKind kind, Outcome& outcome) const {
    const bool is_shared = (registers[number] & shared_bit()) != 0;
    const Gpa address{registers[number] & ~shared_bit()};
    if (address.value >= shared_bit() || (is_shared && kind == OperandKind::is_private)) {
        registers[rax] = operand_invalid | number;
        return std::nullopt;
    }
    outcome.finding = judge(address, size, is_shared);
    return outcome.finding ? std::nullopt : std::optional(address);
}

} // namespace tdshim::tdx_model
