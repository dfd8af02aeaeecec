// SPDX-License-Identifier: Apache-2.0
//
// The numbers of TDCALL's leaves [Intel TDX Module 1.5 ABI, guest-side interface functions] and of
// TDVMCALL's sub-functions and statuses [Intel TDX Guest-Hypervisor Communication Interface 1.5,
// 3].
#pragma once

#include <cstdint>

namespace tdshim::tdx {

/// RAX of TDCALL.
enum Leaf : std::uint64_t {
    vp_vmcall = 0,
    vp_info = 1,
    mr_rtmr_extend = 2,
    vp_veinfo_get = 3,
    mr_report = 4,
    mem_page_accept = 6,
    vm_rd = 7,
    vm_wr = 8,
};

/// Fields of the TD, RDX of TDG.VM.RD and TDG.VM.WR [metadata access; module TDX_1.5.01].
inline constexpr std::uint64_t field_td_ctls = 0x1110'0003'0000'0017;
/// Of TD_CTLS: an access to a page that is pending ends the TD and raises no #VE.
inline constexpr std::uint64_t pending_ve_disable = 1 << 0;

/// R11 of TDG.VP.VMCALL.
enum Subfunction : std::uint64_t {
    vmcall_cpuid = 10,
    vmcall_hlt = 12,
    vmcall_io = 30,
    vmcall_rdmsr = 31,
    vmcall_wrmsr = 32,
    vmcall_mmio = 48,
    vmcall_get_info = 0x10000,
    vmcall_map_gpa = 0x10001,
    vmcall_get_quote = 0x10002,
    vmcall_report_fatal_error = 0x10003,
    vmcall_setup_event_notify = 0x10004,
};

/// R13 of TDG.VP.VMCALL<Instruction.IO> and <#VE.RequestMMIO>.
inline constexpr std::uint64_t io_read = 0;
inline constexpr std::uint64_t io_write = 1;

/// R10 after TDG.VP.VMCALL.
inline constexpr std::uint64_t vmcall_success = 0;
inline constexpr std::uint64_t vmcall_retry = 1;
inline constexpr std::uint64_t vmcall_invalid_operand = 0x8000'0000'0000'0000;
inline constexpr std::uint64_t vmcall_align_error = 0x8000'0000'0000'0002;
inline constexpr std::uint64_t vmcall_unsupported = 0x8000'0000'0000'0003;

} // namespace tdshim::tdx
