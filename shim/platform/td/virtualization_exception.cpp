// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/td/virtualization_exception.hpp"

#include "shim/base/line.hpp"
#include "shim/platform/platform.hpp"
#include "shim/platform/td/instruction_emulation.hpp"
#include "shim/platform/td/tdcall.hpp"

namespace tdshim::td {
namespace {

constexpr std::uint32_t longest_instruction = 15;

/// What ve_entry() pushed, and the processor before it.
struct Frame {
    GeneralRegisters registers;
    std::uint64_t rip, cs, rflags, rsp, ss;
};

/// The module keeps one #VE for the TD: it is fetched before anything that might raise another.
Result<void> handle(Frame& frame) {
    const VeInfo info = TRY(read_ve_info());
    TRY(emulate(frame.registers, frame.rflags, info).transform_error([&](Error error) {
        if (error.fault == Fault::ve_not_emulated)
            error.at = frame.rip;
        return error;
    }));
    if (info.instruction_length > longest_instruction)
        return refuse(Fault::ve_not_emulated, frame.rip, longest_instruction,
                      info.instruction_length);
    frame.rip += info.instruction_length;
    return {};
}

extern "C" [[gnu::used]] void shim_handle_ve(Frame* frame) {
    if (const auto handled = handle(*frame); !handled) {
        const Line line = Line() << "tdshim: #VE: " << handled.error() << ": halted";
        platform::print_end(line.text());
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
