// SPDX-License-Identifier: Apache-2.0
//
// What passes through the secure EPT: loads, stores, fetches and the page walks of all three, each
// held to the state of its page [Intel TDX Module 1.5 ABI, secure EPT].
#pragma once

#include "tools/td-emu/plugin/qemu_api.hpp"

namespace tdshim::td_emu {

/// To be called for every instruction whose loads and stores rules hold for, when it is translated.
void watch_accesses(qemu_plugin_insn* instruction);

/// To be called for every instruction of a payload that makes its own page tables, when it is
/// translated: its loads and stores are held to one rule, that somebody accepted the page.
void watch_accesses_of_linux(qemu_plugin_insn* instruction);

/// To be called for every block of the firmware's code, which is mapped at its own address.
void watch_fetches(qemu_plugin_tb* block);

} // namespace tdshim::td_emu
