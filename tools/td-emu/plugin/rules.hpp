// SPDX-License-Identifier: Apache-2.0
//
// Instructions that a TD may not simply execute [Intel TDX Module 1.5 ABI, virtualization
// exceptions and CPU state]: found in the bytes of an instruction, judged by the registers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tools/tdx-model/registers.hpp"

namespace tdshim::td_emu {

enum class Kind : std::uint8_t {
    tdcall,
    cpuid,
    port_io,
    halt,
    rdmsr,
    wrmsr,
    cache, ///< INVD, WBINVD
    vmcall,
    set_cr0,
    set_cr4,
};

struct Special {
    Kind kind{};
    std::uint8_t source = 0; ///< register that is moved to a control register
};

/// What is special about the instruction with these bytes, if anything is.
[[nodiscard]] std::optional<Special> find_special(std::span<const std::uint8_t> instruction);

/// The rule that the instruction breaks, which the TDX module would answer by #VE or #GP; empty
/// when it is native.
[[nodiscard]] std::string_view broken_rule(const Special& special,
                                           const tdx_model::Registers& registers);

} // namespace tdshim::td_emu
