// SPDX-License-Identifier: Apache-2.0
//
// An instruction that the plugin watches, where it is executed. QEMU translates code once for its
// physical page: a block runs at every linear address that the page is mapped at, and only the
// first of them is known when it is translated (CF_PCREL).
#pragma once

#include <cstdint>

#include "tools/td-emu/plugin/qemu_api.hpp"
#include "tools/td-emu/plugin/rules.hpp"

namespace tdshim::td_emu {

struct Instruction {
    std::uint64_t address; ///< linear
    std::uint64_t next;
    Special special;
};

/// What a callback is registered with that asks for executed_instruction(): kept for as long as
/// QEMU may call, for translations are never told to be gone.
[[nodiscard]] void* keep_translated(const Instruction& translated);

/// To be called for each block that has such an instruction, before any of its callbacks.
void watch_place(qemu_plugin_tb* block);

/// That instruction as `vcpu`, whose thread this is, executes it.
[[nodiscard]] Instruction executed_instruction(unsigned vcpu, const void* translated);

} // namespace tdshim::td_emu
