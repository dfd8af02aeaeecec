// SPDX-License-Identifier: Apache-2.0
#include "tools/tdx-model/hostile_td.hpp"

#include <algorithm>

#include "shim/formats/tdx/calls.hpp"
#include "shim/memory/layout.hpp"
#include "tools/tdx-model/status.hpp"

namespace tdshim::tdx_model {
namespace {

using namespace tdx;

constexpr int busy_times = 3;
constexpr Gpa kernel_page{16 * MiB}; // where Linux is loaded, and the test's kernel
constexpr std::uint64_t chosen_page = kernel_page.value;
constexpr std::uint64_t rtmr_operand = 168;              // what MR.RTMR.EXTEND and MR.REPORT lock
constexpr std::uint64_t warning = 0x0000'0001'0000'0000; // neither success nor an error

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
        status = operand_busy | rcx;
    if (fault_ == Fault::accept_busy_hint && is_busy(registers[rcx]))
        status = host_recoverability_hint | operand_busy | rcx;
    if (fault_ == Fault::accept_always_busy && is_chosen)
        status = operand_busy | rcx;
    if (fault_ == Fault::accept_window_busy && is_window)
        status = operand_busy | rcx;
    if (fault_ == Fault::accept_already && is_chosen)
        status = page_already_accepted;
    if (fault_ == Fault::accept_invalid && is_chosen)
        status = operand_invalid | rcx;
    if (fault_ == Fault::accept_mismatch_4k && is_chosen && is_small)
        status = page_size_mismatch;
    if (status == 0)
        return false;
    registers[rax] = status;
    return true;
}

bool HostileTd::spoil_map_gpa(Registers& shown) const {
    const std::uint64_t start = shown[r12];
    if (fault_ == Fault::map_gpa_refused)
        shown[r10] = vmcall_invalid_operand;
    else if (fault_ == Fault::map_gpa_stuck)
        shown[r11] = start;
    else if (fault_ == Fault::map_gpa_backwards)
        shown[r11] = start - page_size;
    else if (fault_ == Fault::map_gpa_beyond)
        shown[r11] = start + shown[r13] + page_size;
    else if (fault_ == Fault::map_gpa_unaligned)
        shown[r11] = start + page_size / 2;
    else
        return false;
    if (fault_ != Fault::map_gpa_refused)
        shown[r10] = vmcall_retry;
    return true;
}

bool HostileTd::spoil_port(Registers& shown) {
    const bool is_read = shown[r13] == 0;
    if (fault_ == Fault::ports_refused) {
        shown[r10] = vmcall_invalid_operand;
    } else if (fault_ == Fault::ports_all_ones && is_read) {
        shown[r11] = ~std::uint64_t{0};
    } else if (fault_ == Fault::ports_garbage && is_read) {
        const std::lock_guard lock(mutex_);
        garbage_ = garbage_ * 1664525 + 1013904223; // a linear congruence is garbage enough
        shown[r11] = std::uint64_t{garbage_} << 32 | garbage_;
    } else {
        return false;
    }
    return true;
}

bool HostileTd::spoil_measurement(Registers& registers, const MeasurementFaults& faults) {
    const bool has_hint = fault_ == faults.has_hint;
    if (fault_ == faults.fails)
        registers[rax] = operand_invalid | rcx;
    else if ((fault_ == faults.is_busy_first || has_hint) && is_busy(registers[rcx]))
        registers[rax] = (has_hint ? host_recoverability_hint : 0) | operand_busy | rtmr_operand;
    else
        return false;
    return true;
}

bool HostileTd::spoil(Registers& registers) {
    switch (registers[rax]) {
    case mem_page_accept: return spoil_acceptance(registers);
    case mr_rtmr_extend:
        return spoil_measurement(
            registers, {Fault::extend_fails, Fault::extend_busy, Fault::extend_busy_hint});
    case mr_report:
        if (fault_ == Fault::report_warns)
            registers[rax] = warning;
        return fault_ == Fault::report_warns ||
               spoil_measurement(
                   registers, {Fault::report_fails, Fault::report_busy, Fault::report_busy_hint});
    default: return false;
    }
}

/// One page of the range, and the wish to be called again for the rest.
Outcome HostileTd::map_a_page(unsigned vcpu, Registers& shown) {
    const std::uint64_t size = shown[r13];
    const std::uint64_t next = shown[r12] + page_size;
    shown[r13] = std::min(size, page_size);
    Outcome outcome = td_.answer(vcpu, shown);
    shown[r13] = size;
    if (size > page_size && shown[r10] == vmcall_success) {
        shown[r10] = vmcall_retry;
        shown[r11] = next;
    }
    return outcome;
}

Outcome HostileTd::answer(unsigned vcpu, Registers& shown) {
    const bool is_standard = shown[r10] == 0;
    const bool is_map_gpa = is_standard && shown[r11] == vmcall_map_gpa;
    if (is_map_gpa && spoil_map_gpa(shown))
        return {};
    if (is_map_gpa && fault_ == Fault::map_gpa_piecemeal)
        return map_a_page(vcpu, shown);
    if (is_standard && shown[r11] == vmcall_io && spoil_port(shown))
        return {};
    return td_.answer(vcpu, shown);
}

Outcome HostileTd::tdcall(unsigned vcpu, Registers& registers) {
    if (registers[rax] == vp_vmcall)
        return td_.vmcall(registers, [&](Registers& shown) { return answer(vcpu, shown); });
    const std::uint64_t leaf_and_version = registers[rax];
    if (spoil(registers)) {
        td_.count(leaf_and_version);
        return {};
    }
    const bool is_info = registers[rax] == vp_info;
    const bool is_of_kernel = leaf_and_version == mem_page_accept &&
                              (registers[rcx] & ~std::uint64_t{7}) == kernel_page.value;
    Outcome outcome = td_.tdcall(vcpu, registers);
    if (fault_ == Fault::withdrawn_page && is_of_kernel && registers[rax] == success)
        td_.withdraw(kernel_page);
    if (fault_ == Fault::readded_page && is_of_kernel && registers[rax] == success)
        td_.readd(kernel_page);
    if (is_info && fault_ == Fault::narrow_gpa)
        registers[rcx] = 32;
    if (is_info && fault_ == Fault::wide_gpa)
        registers[rcx] = 57;
    return outcome;
}

} // namespace tdshim::tdx_model
