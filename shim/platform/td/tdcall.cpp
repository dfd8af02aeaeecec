// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/td/tdcall.hpp"

#include "shim/base/bytes.hpp"
#include "shim/formats/tdx/calls.hpp"
#include "shim/measure/register_bank.hpp"

namespace tdshim::td {
namespace {

// Five-level page tables, which the shim does not use, begin to matter above this width; a TD of 53
// bits exists in the emulator, where the shared bit is one that page tables ignore.
constexpr unsigned min_gpa_width = 48;
constexpr unsigned max_gpa_width = 53;

// The module is busy with another processor's call, or the VMM with this one's memory.
constexpr int max_attempts = 1'000'000;

// The module wants its operands aligned. Digest and report data are cleared after use for nobody's
// sake: neither is secret.
alignas(64) constinit crypto::Digest digest_operand{};
alignas(64) constinit tdx::ReportData report_data_operand{};
alignas(1024) constinit tdx::Report report_operand{};

std::uint64_t address_of(const auto& object) {
    return reinterpret_cast<std::uint64_t>(&object);
}

/// Calls `leaf` until it is not busy.
Result<Registers> call(tdx::Leaf leaf, const Registers& operands) {
    for (int attempt = 0;; ++attempt) {
        Registers registers = operands;
        registers.rax = leaf;
        tdcall(registers);
        const tdx::Status status{registers.rax};
        if (status.status_class() == tdx::StatusClass::success)
            return registers;
        if (status.status_class() != tdx::StatusClass::operand_busy || attempt == max_attempts)
            return refuse(Fault::tdcall_failed, leaf, 0, registers.rax);
    }
}

} // namespace

Result<Info> read_info() {
    const Registers out = TRY(call(tdx::vp_info, {}));
    const Info info{.gpa_width = static_cast<unsigned>(out.rcx & 0x3F),
                    .attributes = out.rdx,
                    .processors = static_cast<std::uint32_t>(out.r8)};
    if (info.gpa_width < min_gpa_width || info.gpa_width > max_gpa_width)
        return refuse(Fault::td_gpa_width, 0, max_gpa_width, info.gpa_width);
    return info;
}

void disable_pending_ve() {
    static_cast<void>(call(
        tdx::vm_wr,
        {.rdx = tdx::field_td_ctls, .r8 = tdx::pending_ve_disable, .r9 = tdx::pending_ve_disable}));
}

Result<void> extend_rtmr(std::uint32_t rtmr, const crypto::Digest& digest) {
    if (rtmr >= measure::rtmr_count)
        return refuse(Fault::log_rtmr_index, 0, measure::rtmr_count - 1, rtmr);
    digest_operand = digest;
    TRY(call(tdx::mr_rtmr_extend, {.rcx = address_of(digest_operand), .rdx = rtmr}));
    return {};
}

Result<const tdx::Report*> read_report(const tdx::ReportData& data) {
    report_data_operand = data;
    TRY(call(tdx::mr_report,
             {.rcx = address_of(report_operand), .rdx = address_of(report_data_operand)}));
    return &report_operand;
}

Result<crypto::Digest> read_rtmr(std::uint32_t rtmr) {
    if (rtmr >= measure::rtmr_count)
        return refuse(Fault::log_rtmr_index, 0, measure::rtmr_count - 1, rtmr);
    const tdx::Report* const report = TRY(read_report({}));
    return report->td_info.rtmr[rtmr];
}

tdx::Status accept_page(Gpa page, tdx::PageLevel level) {
    Registers registers{.rax = tdx::mem_page_accept,
                        .rcx = page.value | static_cast<std::uint64_t>(level)};
    tdcall(registers);
    return tdx::Status{registers.rax};
}

Result<VeInfo> read_ve_info() {
    const Registers out = TRY(call(tdx::vp_veinfo_get, {}));
    return VeInfo{.exit_reason = static_cast<std::uint32_t>(out.rcx),
                  .exit_qualification = out.rdx,
                  .gpa = {out.r9},
                  .instruction_length = static_cast<std::uint32_t>(out.r10)};
}

} // namespace tdshim::td
