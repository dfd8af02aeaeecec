// SPDX-License-Identifier: Apache-2.0
#include "tools/tdx-model/call_names.hpp"

#include <format>

#include "shim/formats/tdx/calls.hpp"

namespace tdshim::tdx_model {

std::string leaf_name(std::uint64_t leaf) {
    using namespace tdx;
    switch (leaf) {
    case vp_vmcall: return "TDG.VP.VMCALL";
    case vp_info: return "TDG.VP.INFO";
    case mr_rtmr_extend: return "TDG.MR.RTMR.EXTEND";
    case vp_veinfo_get: return "TDG.VP.VEINFO.GET";
    case mr_report: return "TDG.MR.REPORT";
    case mem_page_accept: return "TDG.MEM.PAGE.ACCEPT";
    case vm_rd: return "TDG.VM.RD";
    case vm_wr: return "TDG.VM.WR";
    default: return std::format("{:#x}", leaf);
    }
}

std::string subfunction_name(std::uint64_t number) {
    using namespace tdx;
    switch (number) {
    case vmcall_cpuid: return "CPUID";
    case vmcall_hlt: return "HLT";
    case vmcall_io: return "port I/O";
    case vmcall_rdmsr: return "RDMSR";
    case vmcall_wrmsr: return "WRMSR";
    case vmcall_get_info: return "GetTdVmCallInfo";
    case vmcall_map_gpa: return "MapGPA";
    case vmcall_report_fatal_error: return "ReportFatalError";
    case vmcall_setup_event_notify: return "SetupEventNotifyInterrupt";
    default: return std::format("{:#x}", number);
    }
}

} // namespace tdshim::tdx_model
