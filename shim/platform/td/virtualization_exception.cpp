// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/td/virtualization_exception.hpp"

#include "shim/base/line.hpp"
#include "shim/platform/platform.hpp"
#include "shim/platform/td/tdcall.hpp"
#include "shim/platform/td/tdvmcall.hpp"

namespace tdshim::td {
namespace {

// Exit reasons [Intel SDM 3D, appendix C].
enum Reason : std::uint32_t { cpuid = 10, hlt = 12, port_io = 30, rdmsr = 31, wrmsr = 32 };

constexpr std::uint32_t longest_instruction = 15;
constexpr std::uint64_t rflags_interrupts_enabled = 1 << 9;

/// What ve_entry() pushed, and the processor before it.
struct Frame {
    std::uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    std::uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    std::uint64_t rip, cs, rflags, rsp, ss;
};

/// A 32-bit result clears the upper half of its register.
void give(std::uint64_t& target, std::uint32_t value) {
    target = value;
}

Result<void> emulate_cpuid(Frame& frame) {
    const auto values = TRY(
        read_cpuid(static_cast<std::uint32_t>(frame.rax), static_cast<std::uint32_t>(frame.rcx)));
    give(frame.rax, values.eax);
    give(frame.rbx, values.ebx);
    give(frame.rcx, values.ecx);
    give(frame.rdx, values.edx);
    return {};
}

/// The exit qualification of an I/O instruction [Intel SDM 3C, table 28-5].
struct IoAccess {
    unsigned size; ///< in bytes
    bool is_read;
    bool is_string;
    std::uint16_t port;

    explicit IoAccess(std::uint64_t qualification)
        : size((qualification & 7) + 1), is_read((qualification >> 3 & 1) != 0),
          is_string((qualification >> 4 & 1) != 0),
          port(static_cast<std::uint16_t>(qualification >> 16)) {}
};

Result<void> emulate_port_io(Frame& frame, const VeInfo& info) {
    const IoAccess access(info.exit_qualification);
    if (access.is_string || (access.size != 1 && access.size != 2 && access.size != 4))
        return refuse(Fault::ve_not_emulated, frame.rip, 0, info.exit_qualification);
    if (!access.is_read) {
        write_port(access.port, access.size, static_cast<std::uint32_t>(frame.rax));
        return {};
    }
    const std::uint32_t value = read_port(access.port, access.size);
    if (access.size == 4) {
        give(frame.rax, value);
        return {};
    }
    const std::uint64_t kept = ~std::uint64_t{0} << (8 * access.size);
    frame.rax = (frame.rax & kept) | value;
    return {};
}

Result<void> emulate_rdmsr(Frame& frame) {
    const std::uint64_t value = TRY(read_msr(static_cast<std::uint32_t>(frame.rcx)));
    give(frame.rax, static_cast<std::uint32_t>(value));
    give(frame.rdx, static_cast<std::uint32_t>(value >> 32));
    return {};
}

Result<void> emulate(Frame& frame, const VeInfo& info) {
    switch (info.exit_reason) {
    case cpuid: return emulate_cpuid(frame);
    case hlt: return wait_for_interrupt((frame.rflags & rflags_interrupts_enabled) == 0);
    case port_io: return emulate_port_io(frame, info);
    case rdmsr: return emulate_rdmsr(frame);
    case wrmsr:
        return write_msr(static_cast<std::uint32_t>(frame.rcx),
                         frame.rdx << 32 | static_cast<std::uint32_t>(frame.rax));
    default: return refuse(Fault::ve_not_emulated, frame.rip, 0, info.exit_reason);
    }
}

/// The module keeps one #VE for the TD: it is fetched before anything that might raise another.
Result<void> handle(Frame& frame) {
    const VeInfo info = TRY(read_ve_info());
    TRY(emulate(frame, info));
    if (info.instruction_length > longest_instruction)
        return refuse(Fault::ve_not_emulated, frame.rip, longest_instruction,
                      info.instruction_length);
    frame.rip += info.instruction_length;
    return {};
}

extern "C" [[gnu::used]] void shim_handle_ve(Frame* frame) {
    if (const auto handled = handle(*frame); !handled) {
        const Line line = Line() << "tdshim: #VE: " << handled.error() << ": halted";
        platform::print(line.text());
        platform::halt(line.text());
    }
}

/// Out: all registers as the handler left them in the frame.
extern "C" [[gnu::naked]] void ve_entry() {
    asm volatile("pushq %rax; pushq %rbx; pushq %rcx; pushq %rdx\n\t"
                 "pushq %rsi; pushq %rdi; pushq %rbp\n\t"
                 "pushq %r8;  pushq %r9;  pushq %r10; pushq %r11\n\t"
                 "pushq %r12; pushq %r13; pushq %r14; pushq %r15\n\t"
                 "cld\n\t"
                 "movq %rsp, %rdi\n\t"
                 "call shim_handle_ve\n\t"
                 "popq %r15; popq %r14; popq %r13; popq %r12\n\t"
                 "popq %r11; popq %r10; popq %r9;  popq %r8\n\t"
                 "popq %rbp; popq %rdi; popq %rsi\n\t"
                 "popq %rdx; popq %rcx; popq %rbx; popq %rax\n\t"
                 "iretq");
}

} // namespace

std::uint64_t ve_handler() {
    return reinterpret_cast<std::uint64_t>(&ve_entry);
}

} // namespace tdshim::td
