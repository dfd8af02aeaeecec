// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/msr_rules.hpp"

#include <algorithm>
#include <array>

namespace tdshim::td_emu {
namespace {

constexpr std::uint32_t xapic_disable_status = 0xBD;
constexpr std::uint32_t debugctl = 0x1D9;
constexpr std::uint32_t perf_capabilities = 0x345;
constexpr std::uint32_t x2apic_id = 0x802;
constexpr std::uint32_t xss = 0xDA0;
constexpr std::uint32_t efer = 0xC000'0080;

constexpr std::uint64_t efer_syscall = 1 << 0;
constexpr std::uint64_t efer_long_mode_active = 1 << 10; // read-only
constexpr std::uint64_t debugctl_reserved = ~std::uint64_t{0xFFFF} | 7 << 3;
constexpr std::uint64_t debugctl_trace = 1 << 6;
constexpr std::uint64_t debugctl_trace_store = 1 << 7;
// Supervisor state: PT, CET, user interrupts, LBR.
constexpr std::uint64_t xss_of_xfam = 1 << 8 | 3 << 11 | 1 << 14 | 1 << 15;

enum class Effect : std::uint8_t {
    native,
    virtualization,
    general_protection,
    // #GP but in a TD with the feature, where the register is native
    perfmon,
    pkeys,
    trace,
    cet,
    user_interrupts,
    branch_records,
};
using enum Effect;

struct Rule {
    std::uint32_t first;
    std::uint32_t last;
    Effect read;
    Effect write;
};

// In the order of their addresses; what is not here raises #VE, or #GP in a TD that reduces these.
// Registers of features that CPUID
// does not show under td-emu (DCA, TME, TSX, UMWAIT, XFD, the TSC's deadline) raise #GP.
constexpr auto rules = std::to_array<Rule>({
    {0x10, 0x10, native, virtualization}, // TSC
    {0x48, 0x49, native, native},         // SPEC_CTRL, PRED_CMD
    {0x87, 0x87, general_protection, general_protection},
    {0x8C, 0x8F, general_protection, general_protection}, // SGX
    {0x98, 0x9B, general_protection, general_protection}, // SMM and others
    {0x9E, 0x9E, general_protection, general_protection},
    {0xBC, 0xBC, native, virtualization},
    {0xBD, 0xBD, native, native}, // XAPIC_DISABLE_STATUS
    {0xC1, 0xC8, perfmon, perfmon},
    {0xE1, 0xE1, general_protection, general_protection}, // UMWAIT_CONTROL
    {0x10A, 0x10B, native, native},                       // ARCH_CAPABILITIES, FLUSH_CMD
    {0x122, 0x122, general_protection, general_protection},
    {0x174, 0x176, native, native}, // SYSENTER_CS, ESP, EIP
    {0x186, 0x18D, perfmon, perfmon},
    {0x195, 0x195, general_protection, general_protection},
    {0x1A0, 0x1A0, native, virtualization}, // MISC_ENABLE
    {0x1A6, 0x1A7, perfmon, perfmon},
    {0x1C4, 0x1C5, general_protection, general_protection}, // XFD
    {0x1D9, 0x1D9, native, native},                         // DEBUGCTL, judged by its value
    {0x1F8, 0x1FA, general_protection, general_protection}, // DCA
    {0x276, 0x276, general_protection, general_protection},
    {0x277, 0x277, native, native}, // PAT
    {0x309, 0x310, perfmon, perfmon},
    {0x329, 0x329, perfmon, perfmon},
    {0x345, 0x345, native, perfmon}, // PERF_CAPABILITIES
    {0x38D, 0x392, perfmon, perfmon},
    {0x3F1, 0x3F2, perfmon, perfmon},
    {0x3F6, 0x3F7, perfmon, perfmon},
    {0x480, 0x480, native, general_protection}, // VMX's capabilities
    {0x481, 0x484, virtualization, general_protection},
    {0x485, 0x489, native, general_protection},
    {0x48A, 0x48A, virtualization, general_protection},
    {0x48B, 0x492, native, general_protection},
    {0x4C1, 0x4C8, perfmon, perfmon},
    {0x500, 0x500, general_protection, general_protection},
    {0x560, 0x561, trace, trace},
    {0x570, 0x572, trace, trace},
    {0x580, 0x587, trace, trace},
    {0x600, 0x600, native, native}, // DS_AREA
    {0x6A0, 0x6A0, cet, cet},
    {0x6A2, 0x6A2, cet, cet},
    {0x6A4, 0x6A8, cet, cet},
    {0x6E0, 0x6E0, general_protection, general_protection}, // TSC_DEADLINE
    {0x6E1, 0x6E1, pkeys, pkeys},
    {0x800, 0x801, general_protection, general_protection},
    {0x804, 0x807, general_protection, general_protection},
    {0x808, 0x80C, native, native}, // x2APIC: TPR, PPR, EOI
    {0x80E, 0x80E, native, native},
    {0x810, 0x827, native, native}, // ISR, TMR, IRR
    {0x829, 0x82E, general_protection, general_protection},
    {0x831, 0x831, general_protection, general_protection},
    {0x83F, 0x83F, native, native}, // SELF_IPI
    {0x840, 0x8FF, general_protection, general_protection},
    {0x981, 0x984, general_protection, general_protection}, // TME
    {0x985, 0x98A, user_interrupts, user_interrupts},
    {0xC80, 0xC80, native, virtualization},
    {0xD90, 0xD90, general_protection, general_protection},
    {0xD93, 0xD93, general_protection, general_protection},
    {0xDA0, 0xDA0, native, native}, // XSS, judged by its value
    {0x1200, 0x12FF, branch_records, branch_records},
    {0x14CE, 0x14CF, branch_records, branch_records},
    {0x1500, 0x16FF, branch_records, branch_records},
    {0x1B01, 0x1B01, native, native},
    {0xC000'0080, 0xC000'0080, native, native}, // EFER, judged by its value
    {0xC000'0081, 0xC000'0082, native, native}, // STAR, LSTAR
    {0xC000'0084, 0xC000'0084, native, native}, // FMASK
    {0xC000'0100, 0xC000'0103, native, native}, // FS, GS and kernel GS base, TSC_AUX
});
static_assert(std::ranges::is_sorted(rules, {}, &Rule::first));

/// The effect in a TD with these features: one of the first three.
Effect effect_in(const TdState& state, Effect effect) {
    const auto only_with = [](bool has) { return has ? native : general_protection; };
    switch (effect) {
    case native:
    case virtualization:
    case general_protection: return effect;
    case perfmon: return only_with((state.attributes >> 63 & 1) != 0);
    case pkeys: return only_with((state.attributes >> 30 & 1) != 0);
    case trace: return only_with((state.xfam >> 8 & 1) != 0);
    case cet: return only_with((state.xfam >> 11 & 3) == 3);
    case user_interrupts: return only_with((state.xfam >> 14 & 1) != 0);
    case branch_records: return only_with((state.xfam >> 15 & 1) != 0);
    }
    return virtualization;
}

/// Of a register that the table does not have.
Effect effect_of_others(std::uint32_t index, std::uint64_t td_ctls, bool is_read) {
    using namespace tdx_model::controls;
    if (index == x2apic_id && is_read && (td_ctls & enum_topology) != 0)
        return native;
    const bool is_in_bitmap = index < 0x2000 || (index >= 0xC000'0000 && index < 0xC000'2000);
    return is_in_bitmap && (td_ctls & reduce_ve) != 0 ? general_protection : virtualization;
}

Effect effect_of(std::uint32_t index, const TdState& state, Effect Rule::* direction) {
    const auto rule = std::ranges::lower_bound(rules, index, {}, &Rule::last);
    return rule != rules.end() && rule->first <= index
               ? effect_in(state, (*rule).*direction)
               : effect_of_others(index, state.ve_controls.td_ctls, direction == &Rule::read);
}

constexpr BrokenRule general_protection_by(std::string_view text) {
    return {text, Exception::general_protection};
}

std::optional<BrokenRule> broken_by_value(std::uint32_t index, std::uint64_t value,
                                          const TdState& state) {
    constexpr std::uint64_t free_of_efer = efer_syscall | efer_long_mode_active;
    if (index == efer && ((value ^ state.efer) & ~free_of_efer) != 0)
        return BrokenRule{"WRMSR of EFER that changes more than SCE raises #VE"};
    if (index == xss && (value & ~(state.xfam & xss_of_xfam)) != 0)
        return general_protection_by("WRMSR of XSS with a bit that XFAM lacks raises #GP");
    if (index == debugctl && (value & debugctl_reserved) != 0)
        return general_protection_by("WRMSR of DEBUGCTL with a reserved bit raises #GP");
    if (index == debugctl && (value & (debugctl_trace | debugctl_trace_store)) == debugctl_trace)
        return BrokenRule{"WRMSR of DEBUGCTL with TR and without BTS raises #VE"};
    return std::nullopt;
}

} // namespace

std::optional<BrokenRule> broken_by_rdmsr(std::uint32_t index, const TdState& state) {
    const Effect effect = effect_of(index, state, &Rule::read);
    if (effect == native)
        return std::nullopt;
    if (effect == general_protection)
        return general_protection_by("RDMSR of a register that raises #GP");
    return BrokenRule{"RDMSR of a register that raises #VE"};
}

std::optional<BrokenRule> broken_by_wrmsr(std::uint32_t index, std::uint64_t value,
                                          const TdState& state) {
    const Effect effect = effect_of(index, state, &Rule::write);
    if (effect == native)
        return broken_by_value(index, value, state);
    if (effect == general_protection)
        return general_protection_by("WRMSR of a register that raises #GP");
    return BrokenRule{"WRMSR of a register that raises #VE"};
}

std::optional<std::uint64_t> value_of_module(std::uint32_t index) {
    switch (index) {
    case xapic_disable_status: return 1; // x2APIC mode is locked
    case perf_capabilities: return 0;
    default: return std::nullopt;
    }
}

} // namespace tdshim::td_emu
