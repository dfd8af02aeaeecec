// SPDX-License-Identifier: Apache-2.0
//
// What RDMSR and WRMSR do in a TD, register by register [Intel TDX Module 1.5, MSR virtualization;
// checked against the tables of its source, TDX_1.5.01; what TD_CTLS changes, td_rdmsr.c of later
// versions].
#pragma once

#include <cstdint>
#include <optional>

#include "tools/td-emu/plugin/broken_rule.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::td_emu {

/// What decides about registers that only some TDs have.
struct TdState {
    std::uint64_t attributes = 0;
    std::uint64_t xfam = 0;
    std::uint64_t efer = 0;              ///< of the vCPU, now
    tdx_model::VeControls ve_controls{}; ///< as TD and vCPU have them now
};

/// Nothing when the instruction is native.
[[nodiscard]] std::optional<BrokenRule> broken_by_rdmsr(std::uint32_t index, const TdState& state);
[[nodiscard]] std::optional<BrokenRule> broken_by_wrmsr(std::uint32_t index, std::uint64_t value,
                                                        const TdState& state);

/// What the module itself gives for a register that it lets a TD read, where QEMU would give
/// something else.
[[nodiscard]] std::optional<std::uint64_t> value_of_module(std::uint32_t index);

} // namespace tdshim::td_emu
