// SPDX-License-Identifier: Apache-2.0
#include "payload/runtime/exceptions.hpp"

#include <array>

#include "payload/runtime/image.hpp"
#include "payload/runtime/runtime.hpp"
#include "shim/platform/x86/descriptors.hpp"
#include "shim/platform/x86/instructions.hpp"

// Vectors with an error code [Intel SDM 3A, table 6-1]; for the others a zero takes its place. Each
// entry has 16 bytes.
asm(".pushsection .text.payload_vectors, \"ax\"\n"
    ".balign 16\n"
    "payload_vectors:\n"
    ".set vector, 0\n"
    ".rept 32\n"
    ".balign 16\n"
    ".if ((0x60227D00 >> vector) & 1) == 0\n"
    "pushq $0\n"
    ".endif\n"
    "pushq $vector\n"
    "jmp payload_exception_entry\n"
    ".set vector, vector + 1\n"
    ".endr\n"
    "payload_exception_entry:\n"
    "pushq %rax; pushq %rbx; pushq %rcx; pushq %rdx; pushq %rsi; pushq %rdi; pushq %rbp\n"
    "pushq %r8; pushq %r9; pushq %r10; pushq %r11; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n"
    "cld\n"
    "movq %rsp, %rdi\n"
    "call payload_exception\n"
    "popq %r15; popq %r14; popq %r13; popq %r12; popq %r11; popq %r10; popq %r9; popq %r8\n"
    "popq %rbp; popq %rdi; popq %rsi; popq %rdx; popq %rcx; popq %rbx; popq %rax\n"
    "addq $16, %rsp\n"
    "iretq\n"
    ".popsection\n");

extern "C" const std::byte payload_vectors[];

namespace tdshim::runtime {
namespace {

constexpr std::size_t vector_size = 16;
constexpr std::uint8_t exception_stack = 1; // IST1
constexpr std::uint8_t current_stack = 0;

using Idt = std::array<x86::Gate, exception_count>;
constinit x86::Gdt<1> gdt{};
constinit std::array<x86::TaskState, 1> task_states{};
constinit Idt idt{};
constinit Idt worker_idt{};
constinit std::array<Handler, exception_count> handlers{};

/// Where attempt() goes on.
struct Resume {
    std::uint64_t rsp = 0;
    std::uint64_t rip = 0;
};
extern "C" {
[[gnu::used]] constinit Resume payload_resume{};
}
constinit Exception caught{};

[[noreturn]] void report(const Frame& frame) {
    fail((Line() << "payload: exception " << frame.vector << ", error code "
                 << Hex{frame.error_code} << ", RIP " << Hex{frame.rip} << ", RSP "
                 << Hex{frame.rsp} << ", CR2 " << Hex{x86::read_cr2()})
             .text());
}

extern "C" [[gnu::used]] void payload_exception(Frame* frame) {
    const std::uint64_t address = x86::read_cr2();
    if (const Handler handler = handlers[frame->vector]; handler != nullptr && handler(*frame))
        return;
    if (payload_resume.rip == 0)
        report(*frame);
    caught = {frame->vector, frame->error_code, frame->rip, address};
    frame->rip = payload_resume.rip;
    frame->rsp = payload_resume.rsp;
    payload_resume.rip = 0;
}

/// Calls the function in RDI with RSI. Out: EAX 1 when payload_exception() came back instead.
extern "C" [[gnu::naked]] int payload_attempt(void (*)(void*), void*) {
    asm volatile("pushq %rbx; pushq %rbp; pushq %r12; pushq %r13; pushq %r14; pushq %r15\n\t"
                 "subq $8, %rsp\n\t"
                 "movq %rsp, payload_resume(%rip)\n\t"
                 "leaq 1f(%rip), %rax\n\t"
                 "movq %rax, payload_resume + 8(%rip)\n\t"
                 "movq %rdi, %rax\n\t"
                 "movq %rsi, %rdi\n\t"
                 "callq *%rax\n\t"
                 "xorl %eax, %eax\n\t"
                 "jmp 2f\n"
                 "1:\n\t"
                 "movl $1, %eax\n"
                 "2:\n\t"
                 "addq $8, %rsp\n\t"
                 "popq %r15; popq %r14; popq %r13; popq %r12; popq %rbp; popq %rbx\n\t"
                 "retq");
}

void fill(Idt& table, std::uint8_t stack) {
    for (std::size_t vector = 0; vector < exception_count; ++vector)
        table[vector] = x86::gate(gpa_of(payload_vectors).value + vector * vector_size, stack);
    // It goes on where it was raised, so one that is raised in an exception must not start over.
    table[virtualization_exception].stack = current_stack;
}

} // namespace

void set_handler(std::size_t vector, Handler handler) {
    handlers[vector] = handler;
}

std::optional<Exception> attempt(void (*action)(void*), void* argument) {
    const bool is_caught = payload_attempt(action, argument) != 0;
    payload_resume.rip = 0;
    return is_caught ? std::optional(caught) : std::nullopt;
}

void load_descriptor_tables() {
    task_states[0].ist[exception_stack - 1] = range_of(payload_stacks.exceptions).end().value;
    task_states[0].io_map_base = sizeof(x86::TaskState);
    gdt = x86::make_gdt(task_states);
    fill(idt, exception_stack);
    fill(worker_idt, current_stack);
    handlers[virtualization_exception] = handle_ve;
    x86::load_gdt(x86::pointer_to(gdt));
    const x86::TablePointer idt_pointer = x86::pointer_to(idt);
    asm volatile("ltr %w1\n\t"
                 "lidt %0"
                 :
                 : "m"(idt_pointer), "r"(x86::tss_selector));
}

void load_worker_descriptor_tables() {
    x86::load_gdt(x86::pointer_to(gdt));
    const x86::TablePointer idt_pointer = x86::pointer_to(worker_idt);
    asm volatile("lidt %0" : : "m"(idt_pointer));
}

} // namespace tdshim::runtime
