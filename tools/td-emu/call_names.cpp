// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/call_names.hpp"

#include <algorithm>
#include <array>
#include <format>

namespace tdshim::td_emu {
namespace {

struct Name {
    std::uint64_t number;
    std::string_view text;
};

// Intel TDX Module 1.5 ABI, guest-side interface functions.
constexpr std::array leaves{
    Name{0, "TDG.VP.VMCALL"},
    Name{1, "TDG.VP.INFO"},
    Name{2, "TDG.MR.RTMR.EXTEND"},
    Name{3, "TDG.VP.VEINFO.GET"},
    Name{4, "TDG.MR.REPORT"},
    Name{5, "TDG.VP.CPUIDVE.SET"},
    Name{6, "TDG.MEM.PAGE.ACCEPT"},
    Name{7, "TDG.VM.RD"},
    Name{8, "TDG.VM.WR"},
    Name{9, "TDG.VP.RD"},
    Name{10, "TDG.VP.WR"},
    Name{11, "TDG.SYS.RD"},
    Name{12, "TDG.SYS.RDALL"},
    Name{18, "TDG.SERVTD.RD"},
    Name{20, "TDG.SERVTD.WR"},
    Name{22, "TDG.MR.VERIFYREPORT"},
    Name{23, "TDG.MEM.PAGE.ATTR.RD"},
    Name{24, "TDG.MEM.PAGE.ATTR.WR"},
};

// Intel TDX Guest-Hypervisor Communication Interface 1.5, 3.
constexpr std::array subfunctions{
    Name{10, "CPUID"},
    Name{12, "HLT"},
    Name{30, "IO"},
    Name{31, "RDMSR"},
    Name{32, "WRMSR"},
    Name{48, "MMIO"},
    Name{54, "WBINVD"},
    Name{65, "PCONFIG"},
    Name{0x10000, "GetTdVmCallInfo"},
    Name{0x10001, "MapGPA"},
    Name{0x10002, "GetQuote"},
    Name{0x10003, "ReportFatalError"},
    Name{0x10004, "SetupEventNotifyInterrupt"},
    Name{0x10005, "Service"},
    Name{0x10006, "MigTD"},
    Name{~std::uint64_t{0}, "vendor"}, // what the model counts a call with R10 as
};

std::string name_in(const auto& names, std::uint64_t number) {
    const auto found = std::ranges::find(names, number, &Name::number);
    return found == names.end() ? std::format("{:#x}", number) : std::string(found->text);
}

std::optional<std::uint64_t> number_in(const auto& names, std::string_view text) {
    const auto found = std::ranges::find(names, text, &Name::text);
    return found == names.end() ? std::nullopt : std::optional(found->number);
}

} // namespace

std::string leaf_name(std::uint64_t leaf) {
    return name_in(leaves, leaf);
}

std::string subfunction_name(std::uint64_t number) {
    return name_in(subfunctions, number);
}

std::optional<std::uint64_t> leaf_of(std::string_view name) {
    return number_in(leaves, name);
}

std::optional<std::uint64_t> subfunction_of(std::string_view name) {
    return number_in(subfunctions, name);
}

} // namespace tdshim::td_emu
