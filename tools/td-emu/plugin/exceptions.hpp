// SPDX-License-Identifier: Apache-2.0
//
// Exceptions for a vCPU of QEMU's, which lets a plugin raise none: the frame is written to the
// guest's stack and the vCPU sent through the gate of its own IDT [Intel SDM 3A, 7.14]. Where the
// tables stand is learned by watching the instructions that load them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tools/td-emu/plugin/qemu_api.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::td_emu {

inline constexpr unsigned invalid_opcode = 6;
inline constexpr unsigned double_fault = 8;
inline constexpr unsigned general_protection = 13;
inline constexpr unsigned virtualization_exception = 20;

/// To be called for every instruction that is translated, with its bytes.
void watch_descriptor_tables(qemu_plugin_insn* instruction, std::span<const std::uint8_t> bytes);

/// Raises `vector` in the vCPU whose thread this is, at the instruction at `rip`. Does not return
/// but with the reason why the processor would be shut down instead. For 64-bit code of ring 0,
/// from a callback that may set the program counter.
[[nodiscard]] std::string_view deliver(unsigned vector, std::uint64_t rip);

/// Raises #VE, or #DF when `vcpu` did not ask about the #VE before. Where that cannot be, the run
/// ends with `rule` and `address`.
[[noreturn]] void raise_ve(unsigned vcpu, std::uint64_t rip, const tdx_model::VeInfo& info,
                           std::string_view rule, std::uint64_t address);

} // namespace tdshim::td_emu
