// SPDX-License-Identifier: Apache-2.0
//
// What CPUID, MOV to CR4 and XSETBV do in a TD, by how it was built [TDX module, td_cpuid.c,
// td_xsetbv.c, helpers.c].
#pragma once

#include <cstdint>
#include <optional>

#include "tools/td-emu/plugin/broken_rule.hpp"
#include "tools/td-emu/plugin/msr_rules.hpp"

namespace tdshim::td_emu {

/// Nothing when the instruction is native, or answered by the module without an exception.
[[nodiscard]] std::optional<BrokenRule> broken_by_cpuid(std::uint32_t leaf, std::uint32_t subleaf,
                                                        const tdx_model::VeControls& ve_controls);
[[nodiscard]] std::optional<BrokenRule> broken_by_cr4(std::uint64_t value, const TdState& state);
[[nodiscard]] std::optional<BrokenRule> broken_by_xsetbv(std::uint32_t index, std::uint64_t value,
                                                         std::uint64_t xfam);

} // namespace tdshim::td_emu
