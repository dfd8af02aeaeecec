// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/rules.hpp"

#include <algorithm>
#include <array>

#include "tools/td-emu/plugin/processor_rules.hpp"

namespace tdshim::td_emu {
namespace {

using namespace tdx_model;

constexpr std::uint64_t attribute_perfmon = std::uint64_t{1} << 63;
constexpr std::uint64_t cr0_pe = 1 << 0;
constexpr std::uint64_t cr0_ne = 1 << 5;
constexpr std::uint64_t cr0_nw = 1 << 29;
constexpr std::uint64_t cr0_cd = 1 << 30;
constexpr bool is_rex(std::uint8_t byte) {
    return (byte & 0xF0) == 0x40;
}

bool is_prefix(std::uint8_t byte) {
    constexpr auto prefixes = std::to_array<std::uint8_t>(
        {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3});
    return std::ranges::contains(prefixes, byte) || is_rex(byte);
}

bool is_string_io(std::uint8_t opcode) {
    return opcode >= 0x6C && opcode <= 0x6F;
}

bool is_port_io(std::uint8_t opcode) {
    return is_string_io(opcode) || (opcode >= 0xE4 && opcode <= 0xE7) ||
           (opcode >= 0xEC && opcode <= 0xEF);
}

std::optional<Special> find_in_group_7(std::span<const std::uint8_t> rest) {
    if (rest.empty())
        return std::nullopt;
    switch (rest[0]) {
    case 0xC1: return Special{Kind::vmcall};
    case 0xC5: return Special{Kind::pconfig};
    case 0xC8: return Special{Kind::monitor};
    case 0xC9: return Special{Kind::mwait};
    case 0xD1: return Special{Kind::set_xcr};
    case 0xC0:                               // ENCLV
    case 0xC2:                               // VMLAUNCH
    case 0xC3:                               // VMRESUME
    case 0xC4:                               // VMXOFF
    case 0xCF:                               // ENCLS
    case 0xD4: return Special{Kind::absent}; // VMFUNC
    default: return std::nullopt;
    }
}

std::optional<Special> find_in_second_map(std::span<const std::uint8_t> rest, std::uint8_t rex) {
    if (rest.empty())
        return std::nullopt;
    switch (rest[0]) {
    case 0x08: return Special{Kind::invd};
    case 0x09: return Special{Kind::wbinvd};
    case 0x30: return Special{Kind::wrmsr};
    case 0x33: return Special{Kind::rdpmc};
    case 0x37:                               // GETSEC
    case 0x78:                               // VMREAD
    case 0x79:                               // VMWRITE
    case 0xAA: return Special{Kind::absent}; // RSM
    case 0x32: return Special{Kind::rdmsr};
    case 0xA2: return Special{Kind::cpuid};
    case 0x01: return find_in_group_7(rest.subspan(1));
    case 0x38: // INVEPT, INVVPID
        return rest.size() > 1 && (rest[1] == 0x80 || rest[1] == 0x81)
                   ? std::optional(Special{Kind::absent})
                   : std::nullopt;
    case 0xC7: // VMPTRLD, VMCLEAR, VMXON, VMPTRST; of registers it is RDRAND and RDSEED
        return rest.size() > 1 && rest[1] >> 6 != 3 && (rest[1] >> 3 & 7) >= 6
                   ? std::optional(Special{Kind::absent})
                   : std::nullopt;
    case 0x22: {
        if (rest.size() < 2)
            return std::nullopt;
        const auto target = rest[1] >> 3 & 7;
        const auto source = static_cast<std::uint8_t>((rest[1] & 7) | (rex & 1) << 3);
        if (target == 0)
            return Special{Kind::set_cr0, source};
        if (target == 4)
            return Special{Kind::set_cr4, source};
        return std::nullopt;
    }
    default: return std::nullopt;
    }
}

} // namespace

std::optional<Special> find_special(std::span<const std::uint8_t> instruction) {
    constexpr auto tdcall = std::to_array<std::uint8_t>({0x66, 0x0F, 0x01, 0xCC});
    if (std::ranges::equal(instruction, tdcall))
        return Special{Kind::tdcall};
    Special port_io{Kind::port_io};
    std::uint8_t rex = 0;
    for (; !instruction.empty() && is_prefix(instruction[0]);
         instruction = instruction.subspan(1)) {
        rex = is_rex(instruction[0]) ? instruction[0] : std::uint8_t{0};
        port_io.is_word |= instruction[0] == 0x66;
        port_io.is_repeated |= instruction[0] == 0xF2 || instruction[0] == 0xF3;
    }
    if (instruction.empty())
        return std::nullopt;
    if (instruction[0] == 0x0F)
        return find_in_second_map(instruction.subspan(1), rex);
    if (instruction[0] == 0xF4)
        return Special{Kind::halt};
    if (is_port_io(instruction[0]))
        port_io.opcode = instruction[0];
    else
        return std::nullopt;
    port_io.immediate = instruction.size() > 1 ? instruction[1] : std::uint8_t{0};
    return port_io;
}

std::optional<BrokenRule> broken_rule(const Special& special, const Registers& registers,
                                      const TdState& state) {
    const auto msr = static_cast<std::uint32_t>(registers[rcx]);
    switch (special.kind) {
    case Kind::tdcall: return std::nullopt;
    case Kind::cpuid:
        return broken_by_cpuid(static_cast<std::uint32_t>(registers[rax]),
                               static_cast<std::uint32_t>(registers[rcx]), state.ve_controls);
    case Kind::port_io: return BrokenRule{"port I/O raises #VE"};
    case Kind::halt: return BrokenRule{"HLT raises #VE"};
    case Kind::invd:
    case Kind::wbinvd: return BrokenRule{"INVD and WBINVD raise #VE"};
    case Kind::vmcall: return BrokenRule{"VMCALL raises #VE"};
    case Kind::rdmsr: return broken_by_rdmsr(msr, state);
    case Kind::wrmsr:
        return broken_by_wrmsr(
            msr, registers[rdx] << 32 | static_cast<std::uint32_t>(registers[rax]), state);
    case Kind::set_cr0: {
        const std::uint64_t value = registers[special.source];
        if ((value & cr0_ne) == 0)
            return BrokenRule{"clearing CR0.NE raises #GP", Exception::general_protection};
        if ((value & cr0_pe) == 0 || (value & (cr0_nw | cr0_cd)) != 0)
            return BrokenRule{"clearing CR0.PE or setting CR0.CD or CR0.NW raises #VE"};
        return std::nullopt;
    }
    case Kind::set_cr4: return broken_by_cr4(registers[special.source], state);
    case Kind::set_xcr:
        return broken_by_xsetbv(static_cast<std::uint32_t>(registers[rcx]),
                                registers[rdx] << 32 | static_cast<std::uint32_t>(registers[rax]),
                                state.xfam);
    case Kind::monitor:
    case Kind::mwait: return BrokenRule{"MONITOR and MWAIT raise #VE"};
    case Kind::pconfig: return BrokenRule{"PCONFIG raises #VE"};
    case Kind::rdpmc:
        return (state.attributes & attribute_perfmon) != 0
                   ? std::nullopt
                   : std::optional(BrokenRule{"RDPMC without ATTRIBUTES.PERFMON raises #GP",
                                              Exception::general_protection});
    case Kind::absent:
        return BrokenRule{"instruction of VMX, SMX, SGX or SMM raises #UD",
                          Exception::invalid_opcode};
    }
    return std::nullopt;
}

namespace {

std::uint64_t port_qualification(const Special& special, std::uint16_t dx) {
    const bool is_string = is_string_io(special.opcode);
    const bool has_immediate = special.opcode >= 0xE4 && special.opcode <= 0xE7;
    const bool is_byte = (special.opcode & 1) == 0;
    const bool is_read = (special.opcode & 2) == 0;
    const std::uint64_t size = is_byte ? 1 : special.is_word ? 2 : 4;
    return (size - 1) | std::uint64_t{is_read} << 3 | std::uint64_t{is_string} << 4 |
           std::uint64_t{special.is_repeated} << 5 | std::uint64_t{has_immediate} << 6 |
           static_cast<std::uint64_t>(has_immediate ? special.immediate : dx) << 16;
}

} // namespace

VeInfo ve_info(const Special& special, const Registers& registers,
               std::uint32_t instruction_length) {
    const auto info = [&](std::uint32_t reason, std::uint64_t qualification = 0) {
        return VeInfo{reason, qualification, instruction_length};
    };
    const std::uint64_t moved_from = std::uint64_t{special.source} << 8;
    switch (special.kind) {
    case Kind::tdcall:
    case Kind::set_xcr:
    case Kind::rdpmc:
    case Kind::absent: break;
    case Kind::cpuid: return info(10);
    case Kind::halt: return info(12);
    case Kind::invd: return info(13);
    case Kind::vmcall: return info(18);
    case Kind::set_cr0: return info(28, moved_from);
    case Kind::set_cr4: return info(28, moved_from | 4);
    case Kind::port_io:
        return info(30, port_qualification(special, static_cast<std::uint16_t>(registers[rdx])));
    case Kind::rdmsr: return info(31);
    case Kind::wrmsr: return info(32);
    case Kind::mwait: return info(36);
    case Kind::monitor: return info(39);
    case Kind::wbinvd: return info(54);
    case Kind::pconfig: return info(65);
    }
    return {};
}

} // namespace tdshim::td_emu
