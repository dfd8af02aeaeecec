// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/processor_rules.hpp"

#include <algorithm>
#include <array>

namespace tdshim::td_emu {
namespace {

/// A leaf that the module answers itself, with subleaves from 0 on [TDX module,
/// cpuid_configurations.c]. All others are #VE.
struct CpuidLeaf {
    std::uint32_t leaf;
    std::uint32_t subleaves = 0; ///< 0: whatever ECX is
};
constexpr auto native_cpuid = std::to_array<CpuidLeaf>(
    {{0},    {1},       {3},          {4, 5},       {5},          {7, 3},      {8},
     {0xA},  {0xD, 19}, {0xE},        {0x11},       {0x12},       {0x13},      {0x14, 2},
     {0x15}, {0x19},    {0x1C},       {0x1D, 2},    {0x1E},       {0x20},      {0x21, 1},
     {0x22}, {0x23, 4}, {0x80000000}, {0x80000001}, {0x80000007}, {0x80000008}});

constexpr std::uint64_t cr4_mce = 1 << 6;
constexpr std::uint64_t cr4_owned = 1 << 14 | 1 << 13; // SMXE, VMXE
constexpr std::uint64_t cr4_unknown = ~std::uint64_t{0} << 26 | 1 << 15;

/// A bit of CR4 that a TD has by the bits of XFAM or ATTRIBUTES alone [TDX module, helpers.c,
/// is_guest_cr4_allowed_by_td_config]; both zero: never.
struct ControlBit {
    std::uint64_t bit;
    std::uint64_t xfam;
    std::uint64_t attributes;
};
constexpr std::array given_control_bits{
    ControlBit{1 << 19, 0, 0},                      // KL
    ControlBit{1 << 22, 1 << 9, 0},                 // PKE
    ControlBit{1 << 23, 1 << 12 | 1 << 11, 0},      // CET
    ControlBit{1 << 24, 0, std::uint64_t{1} << 30}, // PKS
    ControlBit{1 << 25, 1 << 14, 0},                // UINTR
};

// Of XCR0 and its like; XFAM has those of XSS as well.
constexpr std::uint64_t xcr0_known = 0x6'02E7;

std::uint64_t forbidden_control_bits(const TdState& state) {
    std::uint64_t forbidden = cr4_unknown;
    for (const ControlBit& given : given_control_bits)
        if ((given.xfam | given.attributes) == 0 || (state.xfam & given.xfam) != given.xfam ||
            (state.attributes & given.attributes) != given.attributes)
            forbidden |= given.bit;
    return forbidden;
}

constexpr bool is_of_hypervisors(std::uint32_t leaf) {
    return leaf >= 0x40000000 && leaf <= 0x4FFFFFFF;
}

/// A leaf above the last of its range is the last base leaf, but for the range of hypervisors [TDX
/// module, td_cpuid.c].
std::uint32_t clamped(std::uint32_t leaf) {
    constexpr std::uint32_t last_base = 0x23;
    constexpr std::uint32_t first_extended = 0x80000000;
    constexpr std::uint32_t last_extended = 0x80000008;
    const bool is_above = leaf > last_extended || (leaf > last_base && leaf < first_extended);
    return is_above && !is_of_hypervisors(leaf) ? last_base : leaf;
}

bool is_native_cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
    return std::ranges::any_of(native_cpuid, [&](const CpuidLeaf& native) {
        return native.leaf == clamped(leaf) &&
               (native.subleaves == 0 || subleaf < native.subleaves);
    });
}

/// Whether the TD asked the module to answer a leaf that else raises #VE.
bool is_asked_for(std::uint32_t leaf, std::uint32_t subleaf, std::uint64_t td_ctls) {
    using namespace tdx_model::controls;
    constexpr std::uint32_t levels = 3; // of leaf 0xB: thread, core, none
    switch (clamped(leaf)) {
    case 2: return (td_ctls & virt_cpuid2) != 0;
    case 0xB: return (td_ctls & (subleaf < levels ? enum_topology : reduce_ve)) != 0;
    case 0x1F: return (td_ctls & enum_topology) != 0;
    default: return (td_ctls & reduce_ve) != 0;
    }
}

/// What the processor and the module let be in XCR0 [Intel SDM 1, 13.3; TDX module, helpers.c,
/// check_guest_xcr0_value].
bool is_valid_xcr0(std::uint64_t value, std::uint64_t xfam) {
    const auto all_or_none = [&](std::uint64_t bits) {
        return (value & bits) == 0 || (value & bits) == bits;
    };
    constexpr std::uint64_t x87 = 1 << 0;
    constexpr std::uint64_t sse = 1 << 1;
    constexpr std::uint64_t avx = 1 << 2;
    constexpr std::uint64_t avx512 = 7 << 5;
    constexpr std::uint64_t amx = 3 << 17;
    return (value & ~(xcr0_known & xfam)) == 0 && (value & x87) != 0 &&
           ((value & avx) == 0 || (value & sse) != 0) && all_or_none(avx512) &&
           ((value & avx512) == 0 || (value & avx) != 0) && all_or_none(amx);
}

} // namespace

std::optional<BrokenRule> broken_by_cpuid(std::uint32_t leaf, std::uint32_t subleaf,
                                          const tdx_model::VeControls& ve_controls) {
    if (ve_controls.cpuid)
        return BrokenRule{"CPUID raises #VE, as the TD asked for by TDG.VP.CPUIDVE.SET"};
    const bool is_answered =
        is_native_cpuid(leaf, subleaf) || is_asked_for(leaf, subleaf, ve_controls.td_ctls);
    return is_answered && !is_of_hypervisors(leaf)
               ? std::nullopt
               : std::optional(BrokenRule{"CPUID of a leaf that raises #VE"});
}

std::optional<BrokenRule> broken_by_cr4(std::uint64_t value, const TdState& state) {
    constexpr std::string_view text =
        "clearing CR4.MCE or setting a bit of CR4 that the module owns raises #VE or #GP";
    if ((value & forbidden_control_bits(state)) != 0)
        return BrokenRule{text, Exception::general_protection};
    if ((value & cr4_mce) == 0 || (value & cr4_owned) != 0)
        return BrokenRule{text};
    return std::nullopt;
}

std::optional<BrokenRule> broken_by_xsetbv(std::uint32_t index, std::uint64_t value,
                                           std::uint64_t xfam) {
    if (index == 0 && is_valid_xcr0(value, xfam))
        return std::nullopt;
    return BrokenRule{"XSETBV of what XFAM does not give raises #GP",
                      Exception::general_protection};
}

} // namespace tdshim::td_emu
