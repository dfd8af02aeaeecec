// SPDX-License-Identifier: Apache-2.0
//
// TDCALL: what a TD asks of the TDX module [Intel TDX Module 1.5 ABI, TDG leaf functions]. The
// module is trusted; it is part of what a TD's measurements vouch for.
#pragma once

#include <cstdint>

#include "shim/base/error.hpp"
#include "shim/base/gpa.hpp"
#include "shim/crypto/sha384.hpp"
#include "shim/formats/tdx/report.hpp"
#include "shim/formats/tdx/status.hpp"

namespace tdshim::td {

/// The registers that TDCALL takes and gives, but RSP and RBP, which it never changes.
struct Registers {
    std::uint64_t rax = 0, rcx = 0, rdx = 0, rbx = 0, rsi = 0, rdi = 0;
    std::uint64_t r8 = 0, r9 = 0, r10 = 0, r11 = 0, r12 = 0, r13 = 0, r14 = 0, r15 = 0;
};

/// Whether CPUID leaf 0x21 has the TDX module's signature, which no VMM can give it.
[[nodiscard]] bool module_answers_cpuid();

/// Executes TDCALL. RAX, a leaf number before, is the completion status after.
void tdcall(Registers& registers);

/// What TDG.VP.INFO says about this TD.
struct Info {
    unsigned gpa_width = 0; ///< bits of a guest physical address; the highest one means "shared"
    std::uint64_t attributes = 0;
    std::uint32_t processors = 0;

    [[nodiscard]] std::uint64_t shared_bit() const { return std::uint64_t{1} << (gpa_width - 1); }
};

/// Errors: tdcall_failed; td_gpa_width when the width is none that page tables can express.
[[nodiscard]] Result<Info> read_info();

/// Asks that an access to a page which nobody accepted ends the TD and raises no #VE, whatever the
/// VMM wrote into ATTRIBUTES [TDG.VM.WR, TD_CTLS.PENDING_VE_DISABLE]. A module grants it where
/// CONFIG_FLAGS.FLEXIBLE_PENDING_VE is set, or where it is so already; elsewhere nothing changes:
/// the handler of #VE stops at such an access too, and what ATTRIBUTES say a verifier reads.
void disable_pending_ve();

/// RTMR[`rtmr`] = SHA-384(RTMR[`rtmr`] || digest). Errors: log_rtmr_index, tdcall_failed.
[[nodiscard]] Result<void> extend_rtmr(std::uint32_t rtmr, const crypto::Digest& digest);

/// TDG.MR.REPORT: what the module says about this TD, together with `data`. It stands until the
/// next report. Errors: tdcall_failed.
[[nodiscard]] Result<const tdx::Report*> read_report(const tdx::ReportData& data);

/// RTMR[`rtmr`] as the module holds it, from a TDREPORT. Errors: log_rtmr_index, tdcall_failed.
[[nodiscard]] Result<crypto::Digest> read_rtmr(std::uint32_t rtmr);

/// TDG.MEM.PAGE.ACCEPT of one page that starts at `page`. Returns the completion status.
[[nodiscard]] tdx::Status accept_page(Gpa page, tdx::PageLevel level);

/// Why a #VE was raised [TDG.VP.VEINFO.GET].
struct VeInfo {
    std::uint32_t exit_reason = 0;
    std::uint64_t exit_qualification = 0;
    Gpa gpa;                              ///< of an EPT violation, with the shared bit
    std::uint32_t instruction_length = 0; ///< in bytes; undefined for EPT violations
};
/// Errors: tdcall_failed.
[[nodiscard]] Result<VeInfo> read_ve_info();

} // namespace tdshim::td
