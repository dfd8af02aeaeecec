// SPDX-License-Identifier: Apache-2.0
//
// Instructions that a TD may not simply execute [Intel TDX Module 1.5 ABI, virtualization
// exceptions and CPU state]: found in the bytes of an instruction, judged by the registers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "tools/td-emu/plugin/broken_rule.hpp"
#include "tools/td-emu/plugin/msr_rules.hpp"
#include "tools/tdx-model/registers.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::td_emu {

enum class Kind : std::uint8_t {
    tdcall,
    cpuid,
    port_io,
    halt,
    rdmsr,
    wrmsr,
    invd,
    wbinvd,
    vmcall,
    set_cr0,
    set_cr4,
    set_xcr,
    monitor,
    mwait,
    pconfig,
    rdpmc,
    absent, ///< of TDs: VMX, SMX, SGX and SMM
};

struct Special {
    Kind kind{};
    std::uint8_t source = 0;    ///< register that is moved to a control register
    std::uint8_t opcode = 0;    ///< of port I/O
    std::uint8_t immediate = 0; ///< the port, where the opcode has one
    bool is_word = false;       ///< a prefix makes 16 bits of 32
    bool is_repeated = false;
};

/// What is special about the instruction with these bytes, if anything is.
[[nodiscard]] std::optional<Special> find_special(std::span<const std::uint8_t> instruction);

/// Nothing when the instruction is native.
[[nodiscard]] std::optional<BrokenRule>
broken_rule(const Special& special, const tdx_model::Registers& registers, const TdState& state);

/// Exit reason and qualification of the #VE that the instruction raises [Intel SDM 3C, 28.2.1 and
/// 3D, appendix C].
[[nodiscard]] tdx_model::VeInfo ve_info(const Special& special,
                                        const tdx_model::Registers& registers,
                                        std::uint32_t instruction_length);

} // namespace tdshim::td_emu
