// SPDX-License-Identifier: Apache-2.0
//
// In what versions of the TDX module differ, as far as a guest of today acts on it: who may ask for
// fewer #VE, and how it finds out [TDX module 1.5.01, 1.5.05 and 2.0: tdx_features_enum0_t,
// td_ctls_t, metadata_td.c, td_cpuid.c].
#pragma once

#include <cstdint>

namespace tdshim::tdx_model {

enum class ModuleVersion : std::uint8_t { v1_5_01, v1_5_05, v2_0 };

namespace controls { // bits of TD_CTLS

inline constexpr std::uint64_t pending_ve_disable = 1 << 0;
inline constexpr std::uint64_t enum_topology = 1 << 1; ///< CPUID 0xB and 0x1F, MSR 0x802
inline constexpr std::uint64_t virt_cpuid2 = 1 << 2;   ///< CPUID 2
inline constexpr std::uint64_t reduce_ve = 1 << 3;     ///< most others, and the two above with it

} // namespace controls

/// The bits of TD_CTLS that a guest may write.
[[nodiscard]] constexpr std::uint64_t writable_controls(ModuleVersion version) {
    using namespace controls;
    switch (version) {
    case ModuleVersion::v1_5_01: return pending_ve_disable;
    case ModuleVersion::v1_5_05: return pending_ve_disable | enum_topology;
    case ModuleVersion::v2_0: return pending_ve_disable | enum_topology | virt_cpuid2 | reduce_ve;
    }
    return 0;
}

/// TDX_FEATURES0: TDG.VP.RD and WR, CPUIDVE.SET, VERIFYREPORT, NO_RBP_MOD; then TOPOLOGY_ENUM; then
/// CPUID2_VIRT and VE_REDUCTION.
[[nodiscard]] constexpr std::uint64_t features_of(ModuleVersion version) {
    constexpr std::uint64_t first = 1 << 3 | 1 << 5 | 1 << 8 | 1 << 18;
    switch (version) {
    case ModuleVersion::v1_5_01: return first;
    case ModuleVersion::v1_5_05: return first | 1 << 20;
    case ModuleVersion::v2_0: return first | 1 << 20 | 1 << 29 | 1 << 30;
    }
    return 0;
}

} // namespace tdshim::tdx_model
