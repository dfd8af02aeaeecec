// SPDX-License-Identifier: Apache-2.0
#include "tools/tdx-model/hostile_td.hpp"

#include "shim/formats/tdx/calls.hpp"
#include "shim/memory/layout.hpp"

namespace tdshim::tdx_model {
namespace {

using namespace tdx;

constexpr std::uint64_t operand_invalid = 0xC000'0100'0000'0001;
constexpr std::uint64_t operand_busy = 0x8000'0200'0000'0001;
constexpr std::uint64_t page_already_accepted = 0x0000'0B0A'0000'0000;
constexpr std::uint64_t page_size_mismatch = 0xC000'0B0B'0000'0000;

constexpr int busy_times = 3;
constexpr std::uint64_t chosen_page = 32 * MiB; // in the middle of what a boot accepts

} // namespace

bool HostileTd::is_busy(std::uint64_t operand) {
    const std::lock_guard lock(mutex_);
    return attempts_[operand]++ % (busy_times + 1) < busy_times;
}

bool HostileTd::spoil_acceptance(Registers& registers) {
    const bool is_small = (registers[rcx] & 7) == 0;
    const bool is_chosen = align_down(registers[rcx], large_page_size) == chosen_page;
    const bool is_window = registers[rcx] == layout::shared_window.start().value;
    std::uint64_t status = 0;
    if (fault_ == Fault::accept_busy && is_busy(registers[rcx]))
        status = operand_busy;
    if (fault_ == Fault::accept_always_busy && is_chosen)
        status = operand_busy;
    if (fault_ == Fault::accept_window_busy && is_window)
        status = operand_busy;
    if (fault_ == Fault::accept_already && is_chosen)
        status = page_already_accepted;
    if (fault_ == Fault::accept_invalid && is_chosen)
        status = operand_invalid;
    if (fault_ == Fault::accept_mismatch_4k && is_chosen && is_small)
        status = page_size_mismatch;
    if (status == 0)
        return false;
    registers[rax] = status;
    return true;
}

bool HostileTd::spoil_map_gpa(Registers& registers) const {
    const std::uint64_t start = registers[r12];
    if (fault_ == Fault::map_gpa_refused)
        registers[r10] = vmcall_invalid_operand;
    else if (fault_ == Fault::map_gpa_stuck)
        registers[r11] = start;
    else if (fault_ == Fault::map_gpa_backwards)
        registers[r11] = start - page_size;
    else if (fault_ == Fault::map_gpa_beyond)
        registers[r11] = start + registers[r13] + page_size;
    else if (fault_ == Fault::map_gpa_unaligned)
        registers[r11] = start + page_size / 2;
    else
        return false;
    registers[rax] = 0;
    if (fault_ != Fault::map_gpa_refused)
        registers[r10] = vmcall_retry;
    return true;
}

bool HostileTd::spoil_port(Registers& registers) {
    const bool is_read = registers[r13] == 0;
    if (fault_ == Fault::ports_refused) {
        registers[r10] = vmcall_invalid_operand;
    } else if (fault_ == Fault::ports_all_ones && is_read) {
        registers[r11] = ~std::uint64_t{0};
    } else if (fault_ == Fault::ports_garbage && is_read) {
        const std::lock_guard lock(mutex_);
        garbage_ = garbage_ * 1664525 + 1013904223; // a linear congruence is garbage enough
        registers[r11] = std::uint64_t{garbage_} << 32 | garbage_;
    } else {
        return false;
    }
    registers[rax] = 0;
    return true;
}

bool HostileTd::spoil(Registers& registers) {
    switch (registers[rax]) {
    case vp_vmcall:
        if (registers[r10] != 0)
            return false;
        if (registers[r11] == vmcall_map_gpa)
            return spoil_map_gpa(registers);
        return registers[r11] == vmcall_io && spoil_port(registers);
    case mem_page_accept: return spoil_acceptance(registers);
    case mr_rtmr_extend:
        if (fault_ == Fault::extend_fails ||
            (fault_ == Fault::extend_busy && is_busy(registers[rcx]))) {
            registers[rax] = fault_ == Fault::extend_fails ? operand_invalid : operand_busy;
            return true;
        }
        return false;
    case mr_report:
        if (fault_ == Fault::report_fails)
            registers[rax] = operand_invalid;
        return fault_ == Fault::report_fails;
    default: return false;
    }
}

Outcome HostileTd::tdcall(unsigned vcpu, Registers& registers) {
    if (spoil(registers))
        return {};
    const bool is_piece = fault_ == Fault::map_gpa_piecemeal && registers[rax] == vp_vmcall &&
                          registers[r10] == 0 && registers[r11] == vmcall_map_gpa &&
                          registers[r13] > page_size;
    const std::uint64_t next = registers[r12] + page_size;
    if (is_piece)
        registers[r13] = page_size;
    const bool is_info = registers[rax] == vp_info;
    Outcome outcome = td_.tdcall(vcpu, registers);
    if (is_piece && registers[r10] == 0) {
        registers[r10] = vmcall_retry;
        registers[r11] = next;
    }
    if (is_info && fault_ == Fault::narrow_gpa)
        registers[rcx] = 32;
    if (is_info && fault_ == Fault::wide_gpa)
        registers[rcx] = 57;
    return outcome;
}

} // namespace tdshim::tdx_model
