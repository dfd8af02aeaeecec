// SPDX-License-Identifier: Apache-2.0
//
// TDG.VP.VMCALL: what the module lets through to the VMM and back, and an honest VMM's answers
// [Intel TDX Module 1.5 ABI, TDG.VP.VMCALL; GHCI 1.5, 3].
#include <string>

#include "shim/formats/tdx/calls.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::tdx_model {
namespace {

using namespace tdx;

constexpr std::uint64_t operand_invalid = 0xC000'0100'0000'0000; // with the operand's number
// RAX, RCX and RSP are nobody's but the TD's; the upper half of the mask is reserved.
constexpr std::uint64_t mask_reserved = 0xFFFF'FFFF'0000'0013;

/// The registers in the order in which a fatal error's text stands in them [GHCI 3.4].
constexpr std::array text_registers{r14, r15, rbx, rdi, rsi, r8, r9, rdx};

std::string text_of(const Registers& registers) {
    std::string text;
    for (const Register number : text_registers)
        for (int byte = 0; byte < 8; ++byte)
            if (const char c = static_cast<char>(registers[number] >> (8 * byte)); c >= ' ')
                text += c;
    return text;
}

} // namespace

void Td::map_gpa(Registers& registers) {
    const std::uint64_t address = registers[r12] & ~shared_bit();
    const std::uint64_t size = registers[r13];
    const bool to_shared = (registers[r12] & shared_bit()) != 0;
    registers[r11] = registers[r12];
    const auto range = GpaRange::make({address}, size);
    if (!range || range->end().value > shared_bit()) {
        registers[r10] = vmcall_invalid_operand;
        return;
    }
    if (!is_aligned(address | size, page_size)) {
        registers[r10] = vmcall_align_error;
        return;
    }
    const std::lock_guard lock(mutex_);
    for (std::uint64_t at = address; at < address + size; at += page_size) {
        const PageState state = pages_.state({at});
        if (state == PageState::absent)
            continue; // a device's registers
        const GpaRange page = GpaRange::between({at}, {at + page_size});
        if (to_shared)
            pages_.set(page, PageState::shared);
        else if (state == PageState::shared)
            pages_.set(page, PageState::pending);
    }
    counts_.shared_bytes += to_shared ? size : 0;
    registers[r10] = vmcall_success;
}

Outcome Td::vmcall(unsigned vcpu, Registers& registers) {
    const std::uint64_t mask = registers[rcx];
    if ((mask & mask_reserved) != 0) {
        registers[rax] = operand_invalid | rcx;
        return {};
    }
    Registers shown{};
    for (std::size_t i = 0; i < register_count; ++i)
        if ((mask >> i & 1) != 0)
            shown[i] = registers[i];
    const Outcome outcome = ask_vmm(vcpu, shown);
    for (std::size_t i = 0; i < register_count; ++i)
        if ((mask >> i & 1) != 0)
            registers[i] = shown[i];
    registers[rax] = 0;
    return outcome;
}

/// `registers` are those that the VMM sees, the others zero.
Outcome Td::ask_vmm(unsigned vcpu, Registers& registers) {
    if (registers[r10] != 0) { // KVM's own calls
        registers[r10] = ~std::uint64_t{0};
        return {};
    }
    registers[r10] = vmcall_success;
    switch (registers[r11]) {
    case vmcall_cpuid: // only what says which processor this is
        registers[r14] = 0;
        registers[r15] = registers[r12] == 0xB ? vcpu : 0;
        registers[r12] = 0;
        registers[r13] = 0;
        return {};
    case vmcall_hlt: vmm_.halt(vcpu); return {};
    case vmcall_io: {
        const std::uint64_t size = registers[r12];
        if ((size != 1 && size != 2 && size != 4) || registers[r13] > 1) {
            registers[r10] = vmcall_invalid_operand;
            return {};
        }
        const auto port = static_cast<std::uint16_t>(registers[r14]);
        if (registers[r13] == 1)
            vmm_.write_port(port, static_cast<unsigned>(size),
                            static_cast<std::uint32_t>(registers[r15]));
        else
            registers[r11] = vmm_.read_port(port, static_cast<unsigned>(size));
        return {};
    }
    case vmcall_rdmsr: registers[r11] = 0; return {};
    case vmcall_wrmsr:
    case vmcall_setup_event_notify: return {};
    case vmcall_get_info:
        registers[r11] = registers[r12] = registers[r13] = registers[r14] = 0;
        return {};
    case vmcall_map_gpa: map_gpa(registers); return {};
    case vmcall_report_fatal_error: return {.finding = {}, .fatal_error = text_of(registers)};
    default: registers[r10] = vmcall_unsupported; return {};
    }
}

} // namespace tdshim::tdx_model
