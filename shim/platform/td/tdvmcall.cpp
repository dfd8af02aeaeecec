// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/td/tdvmcall.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "shim/base/bytes.hpp"
#include "shim/formats/tdx/calls.hpp"
#include "shim/platform/td/tdcall.hpp"
#include "shim/platform/x86/instructions.hpp"

namespace tdshim::td {
namespace {

// RCX: the registers that the VMM may see and set, by number.
constexpr std::uint64_t r10_to_r15 = 0xFC00;
constexpr std::uint64_t with_message = r10_to_r15 | 0x03CC; // RDX, RBX, RSI, RDI, R8, R9

constexpr int max_retries = 3;

// The one error code that is defined; QEMU drops the text of any other.
constexpr std::uint64_t fatal_error_panic = 0;

/// Calls the VMM; R10 is its status afterwards.
void call(tdx::Subfunction function, Registers& registers, std::uint64_t shown = r10_to_r15) {
    registers.rax = tdx::vp_vmcall;
    registers.rcx = shown;
    registers.r10 = 0;
    registers.r11 = function;
    tdcall(registers);
    if (registers.rax != 0) // the module did not like the call: nothing was asked
        registers.r10 = registers.rax;
}

Result<void> check(const Registers& registers) {
    if (registers.r10 != tdx::vmcall_success)
        return refuse(Fault::tdvmcall_failed, 0, tdx::vmcall_success, registers.r10);
    return {};
}

} // namespace

void write_port(std::uint16_t port, unsigned size, std::uint32_t value) {
    Registers registers{.r12 = size, .r13 = tdx::io_write, .r14 = port, .r15 = value};
    call(tdx::vmcall_io, registers);
}

std::uint32_t read_port(std::uint16_t port, unsigned size) {
    Registers registers{.r12 = size, .r13 = tdx::io_read, .r14 = port};
    call(tdx::vmcall_io, registers);
    const std::uint32_t all_ones = ~std::uint32_t{0} >> (32 - 8 * size);
    return check(registers) ? static_cast<std::uint32_t>(registers.r11) & all_ones : all_ones;
}

Result<std::uint64_t> read_mmio(Gpa address, unsigned size) {
    Registers registers{.r12 = size, .r13 = tdx::io_read, .r14 = address.value};
    call(tdx::vmcall_mmio, registers);
    TRY(check(registers));
    return registers.r11 & ~std::uint64_t{0} >> (64 - 8 * size);
}

Result<void> write_mmio(Gpa address, unsigned size, std::uint64_t value) {
    Registers registers{.r12 = size, .r13 = tdx::io_write, .r14 = address.value, .r15 = value};
    call(tdx::vmcall_mmio, registers);
    return check(registers);
}

Result<std::uint64_t> read_msr(std::uint32_t index) {
    Registers registers{.r12 = index};
    call(tdx::vmcall_rdmsr, registers);
    TRY(check(registers));
    return registers.r11;
}

Result<void> write_msr(std::uint32_t index, std::uint64_t value) {
    Registers registers{.r12 = index, .r13 = value};
    call(tdx::vmcall_wrmsr, registers);
    return check(registers);
}

Result<CpuidValues> read_cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
    Registers registers{.r12 = leaf, .r13 = subleaf};
    call(tdx::vmcall_cpuid, registers);
    TRY(check(registers));
    return CpuidValues{
        static_cast<std::uint32_t>(registers.r12), static_cast<std::uint32_t>(registers.r13),
        static_cast<std::uint32_t>(registers.r14), static_cast<std::uint32_t>(registers.r15)};
}

Result<void> wait_for_interrupt(bool interrupts_are_blocked) {
    Registers registers{.r12 = interrupts_are_blocked ? 1U : 0U};
    call(tdx::vmcall_hlt, registers);
    return check(registers);
}

Result<void> map_gpa(const GpaRange& range, Visibility visibility, std::uint64_t shared_bit) {
    const std::uint64_t bit = visibility == Visibility::is_shared ? shared_bit : 0;
    const std::uint64_t end = range.end().value;
    std::uint64_t at = range.start().value;
    int retries = 0; // without progress
    while (at < end) {
        Registers registers{.r12 = at | bit, .r13 = end - at};
        call(tdx::vmcall_map_gpa, registers);
        if (registers.r10 == tdx::vmcall_success)
            return {};
        const std::uint64_t next = registers.r11 & ~shared_bit;
        if (registers.r10 != tdx::vmcall_retry || next < at || next >= end ||
            !is_aligned(next, page_size))
            return refuse(Fault::map_gpa_failed, at, tdx::vmcall_success, registers.r10);
        retries = next == at ? retries + 1 : 0;
        if (retries > max_retries)
            return refuse(Fault::map_gpa_no_progress, at);
        at = next;
    }
    return {};
}

void report_fatal_error(std::string_view reason) {
    std::array<std::uint64_t, 8> text{};
    std::ranges::copy(bytes_of(reason.substr(0, sizeof(text))),
                      std::as_writable_bytes(std::span(text)).begin());
    for (;;) { // a VMM that resumes the TD nevertheless is told again
        Registers registers{.rdx = text[7],
                            .rbx = text[2],
                            .rsi = text[4],
                            .rdi = text[3],
                            .r8 = text[5],
                            .r9 = text[6],
                            .r12 = fatal_error_panic,
                            .r14 = text[0],
                            .r15 = text[1]};
        call(tdx::vmcall_report_fatal_error, registers, with_message);
    }
}

} // namespace tdshim::td
