// SPDX-License-Identifier: Apache-2.0
//
// TDG.VP.VMCALL: what of a vCPU's registers the VMM is shown [TDX module, tdg_vp_vmcall.c], and an
// honest VMM's answers [GHCI 1.5, 3; those that KVM and QEMU give].
#include "tools/tdx-model/td.hpp"

#include <array>

#include "shim/formats/tdx/calls.hpp"
#include "tools/tdx-model/status.hpp"

namespace tdshim::tdx_model {
namespace {

using namespace tdx;

constexpr std::uint64_t mask_bit(Register number) {
    return std::uint64_t{1} << number;
}

// RAX, RCX and RSP are nobody's but the TD's; the upper half of the mask is reserved. XMM
// registers, bits 31:16, may be shown, but no VMM has a use for them.
constexpr std::uint64_t never_shown =
    mask_bit(rax) | mask_bit(rcx) | mask_bit(rsp) | ~std::uint64_t{0} << 32;

constexpr std::uint64_t first_free_vector = 32;
constexpr std::uint64_t last_vector = 255;
constexpr std::uint64_t has_setup_event_notify = 1 << 1; // of GetTdVmCallInfo

/// The registers in the order in which a fatal error's text stands in them [GHCI 3.4].
constexpr std::array text_registers{r14, r15, rbx, rdi, rsi, r8, r9, rdx};

std::string text_of(const Registers& shown) {
    std::string text;
    for (const Register number : text_registers)
        for (int byte = 0; byte < 8; ++byte)
            if (const char c = static_cast<char>(shown[number] >> (8 * byte)); c >= ' ')
                text += c;
    return text;
}

/// Leaf 0: the calls that each VMM has; leaf 1: which others this one has.
void get_info(Registers& shown) {
    const std::uint64_t leaf = shown[r12];
    if (leaf > 1) {
        shown[r10] = vmcall_invalid_operand;
        return;
    }
    shown[r11] = leaf == 0 ? 0 : has_setup_event_notify;
    shown[r12] = shown[r13] = shown[r14] = 0;
}

} // namespace

Outcome Td::vmcall(Registers& registers, const VmmSide& vmm_side) {
    const std::uint64_t mask = registers[rcx];
    const std::uint64_t forbidden =
        never_shown | (configuration_.preserves_rbp ? mask_bit(rbp) : 0);
    Registers shown{};
    for (std::size_t i = 0; i < register_count; ++i)
        if ((mask >> i & 1) != 0)
            shown[i] = registers[i];
    {
        const std::lock_guard lock(mutex_);
        ++counts_.tdcalls[vp_vmcall];
        if ((mask & forbidden) != 0) {
            registers[rax] = operand_invalid | rcx;
            return {};
        }
        ++counts_.tdvmcalls[shown[r10] == 0 ? shown[r11] : ~std::uint64_t{0}];
        pass_quotes_on();
    }
    Outcome outcome = vmm_side(shown);
    for (std::size_t i = 0; i < register_count; ++i)
        if ((mask >> i & 1) != 0)
            registers[i] = shown[i];
    registers[rax] = success;
    return outcome;
}

void Td::port_io(Registers& shown) {
    const std::uint64_t size = shown[r12];
    if ((size != 1 && size != 2 && size != 4) || shown[r13] > io_write) {
        shown[r10] = vmcall_invalid_operand;
        return;
    }
    const auto port = static_cast<std::uint16_t>(shown[r14]);
    if (shown[r13] == io_write)
        vmm_.write_port(port, static_cast<unsigned>(size), static_cast<std::uint32_t>(shown[r15]));
    else
        shown[r11] = vmm_.read_port(port, static_cast<unsigned>(size));
}

std::uint64_t Vmm::read_mmio(Gpa, unsigned) {
    return ~std::uint64_t{0};
}

void Vmm::write_mmio(Gpa, unsigned, std::uint64_t) {}

std::uint32_t Vmm::apic_id(unsigned vcpu) {
    return vcpu;
}

bool Vmm::has_private_memory(Gpa) {
    return true;
}

void Td::mmio(Registers& shown) {
    const std::uint64_t size = shown[r12];
    const Gpa address{shown[r14] & ~shared_bit()};
    const bool is_sized = size == 1 || size == 2 || size == 4 || size == 8;
    bool is_device = false;
    {
        const std::lock_guard lock(mutex_);
        is_device = pages_.state({align_down(address.value, page_size)}) == PageState::absent;
    }
    if (!is_sized || shown[r13] > io_write || address.value >= shared_bit() || !is_device)
        shown[r10] = vmcall_invalid_operand;
    else if (shown[r13] == io_write)
        vmm_.write_mmio(address, static_cast<unsigned>(size), shown[r15]);
    else
        shown[r11] = vmm_.read_mmio(address, static_cast<unsigned>(size)) &
                     ~std::uint64_t{0} >> (64 - 8 * size);
}

void Td::map_gpa(Registers& shown) {
    const std::uint64_t address = shown[r12] & ~shared_bit();
    const std::uint64_t size = shown[r13];
    const bool to_shared = (shown[r12] & shared_bit()) != 0;
    shown[r11] = shown[r12];
    const auto range = GpaRange::make({address}, size);
    if (!range || range->end().value > shared_bit()) {
        shown[r10] = vmcall_invalid_operand;
        return;
    }
    if (!is_aligned(address | size, page_size)) {
        shown[r10] = vmcall_align_error;
        return;
    }
    const std::lock_guard lock(mutex_);
    for (std::uint64_t at = address; at < address + size; at += page_size) {
        const PageState state = pages_.state({at});
        if (state == PageState::absent)
            continue; // a device's registers
        const GpaRange page = GpaRange::between({at}, {at + page_size});
        if (to_shared) {
            pages_.set(page, PageState::shared);
            lost_.erase(at);
        } else if (state == PageState::shared) {
            pages_.set(page, PageState::pending);
        }
    }
    counts_.shared_bytes += to_shared ? size : 0;
}

Outcome Td::answer(unsigned vcpu, Registers& shown) {
    if (shown[r10] != 0) { // KVM's own calls
        shown[r10] = ~std::uint64_t{0};
        return {};
    }
    shown[r10] = vmcall_success;
    switch (shown[r11]) {
    case vmcall_cpuid: // only what says which processor this is
        shown[r14] = 0;
        shown[r15] = shown[r12] == 0xB ? vmm_.apic_id(vcpu) : 0;
        shown[r12] = 0;
        shown[r13] = 0;
        return {};
    case vmcall_hlt: vmm_.halt(vcpu); return {};
    case vmcall_io: port_io(shown); return {};
    case vmcall_rdmsr: shown[r11] = 0; return {};
    case vmcall_wrmsr: return {};
    case vmcall_mmio: mmio(shown); return {};
    case vmcall_setup_event_notify:
        if (shown[r12] < first_free_vector || shown[r12] > last_vector)
            shown[r10] = vmcall_invalid_operand;
        return {};
    case vmcall_get_info: get_info(shown); return {};
    case vmcall_map_gpa: map_gpa(shown); return {};
    case vmcall_get_quote: get_quote(shown); return {};
    case vmcall_report_fatal_error: {
        // As QEMU has it [QEMU target/i386/kvm/tdx.c, tdx_handle_report_fatal_error].
        const bool is_defined = (shown[r12] & 0xFFFF) == 0;
        return {.finding = {},
                .fatal_error = is_defined ? text_of(shown) : "(invalid error code, text dropped)"};
    }
    default: shown[r10] = vmcall_unsupported; return {};
    }
}

} // namespace tdshim::tdx_model
