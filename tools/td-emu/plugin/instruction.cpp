// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/instruction.hpp"

#include "tools/td-emu/plugin/emulation.hpp"
#include "tools/td-emu/plugin/engine.hpp"

namespace tdshim::td_emu {
namespace {

/// Where RIP is no linear address, code segments may not begin at 0: such blocks are taken for
/// where they were translated. QEMU writes RIP before each block, and not before each instruction.
void on_block(unsigned vcpu, void* translated) {
    const auto first = reinterpret_cast<std::uint64_t>(translated);
    qemu_plugin_u64_set(emulation->displacement, vcpu,
                        is_long_mode() ? read_instruction_pointer() - first : 0);
}

} // namespace

void* keep_translated(const Instruction& translated) {
    return new Instruction{translated};
}

void watch_place(qemu_plugin_tb* block) {
    const std::uint64_t first = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0));
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_block, QEMU_PLUGIN_CB_R_REGS,
                                         reinterpret_cast<void*>(first));
}

Instruction executed_instruction(unsigned vcpu, const void* translated) {
    Instruction instruction = *static_cast<const Instruction*>(translated);
    const std::uint64_t displacement = qemu_plugin_u64_get(emulation->displacement, vcpu);
    instruction.address += displacement;
    instruction.next += displacement;
    return instruction;
}

} // namespace tdshim::td_emu
