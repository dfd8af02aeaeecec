// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/arrival.hpp"

#include <array>
#include <unistd.h>

#include "shim/memory/layout.hpp"
#include "tools/td-emu/plugin/emulation.hpp"
#include "tools/td-emu/plugin/engine.hpp"

namespace tdshim::td_emu {
namespace {

// The first processor's code segment begins 64 KiB below 4 GiB: so much further is the stub.
constexpr std::uint64_t stub_from_reset_segment = 0x1'0000 + stub_address;
constexpr unsigned held_microseconds = 100;

/// A vCPU is a thread: what it had when it came out of the stub.
struct Arrival {
    unsigned times = 0;
    tdx_model::Registers registers{};
};
thread_local Arrival arrival;

bool is_held(unsigned vcpu) {
    return vcpu != 0 && !emulation->runs_payload &&
           emulation->first_calls < emulation->faults.others_arrive_after;
}

/// By the VMM, before the TD begins.
void fill_memory() {
    const std::vector<std::byte>& pattern = emulation->faults.fill;
    if (pattern.empty())
        return;
    std::vector<std::byte> content;
    for (const GpaRange& range : emulation->settings.free) {
        while (content.size() < range.size())
            content.append_range(pattern);
        static_cast<void>(
            emulation->memory.write(range.start(), Bytes(content).first(range.size())));
    }
}

void on_stop(unsigned vcpu, void* data) {
    const auto address = reinterpret_cast<std::uint64_t>(data);
    // Where a payload sends a processor back it holds then too.
    const bool holds = !emulation->runs_payload || address == layout::wakeup_reset.value;
    if (holds && emulation->schedule.holds_at(vcpu, address))
        stand_still(address);
}

/// RSI of the stub's is what QEMU calls the processor, a TD's the index of its vCPU.
tdx_model::Registers take_index(unsigned vcpu) {
    const tdx_model::Registers before = read_registers();
    tdx_model::Registers registers = before;
    emulation->vmm.set_apic_id(vcpu, static_cast<std::uint32_t>(before[tdx_model::rsi]));
    registers[tdx_model::rsi] = vcpu;
    write_registers(registers, before);
    return registers;
}

void give_r8(unsigned vcpu, void*) {
    const tdx_model::Registers before = read_registers();
    tdx_model::Registers registers = before;
    registers[tdx_model::r8] = arrival.registers[tdx_model::rcx];
    write_registers(registers, before);
    qemu_plugin_u64_set(emulation->lacks_r8, vcpu, read_registers() == registers ? 0 : 1);
}

} // namespace

void on_reset_vector(unsigned vcpu, void*) {
    if (!emulation->is_started.exchange(true)) {
        fill_memory();
        qemu_plugin_set_pc(stub_from_reset_segment);
    }
    // From here on a processor comes out of the stub. The last one takes it away.
    if (arrival.times == 0) {
        arrival = {1, take_index(vcpu)};
        qemu_plugin_u64_set(emulation->lacks_r8, vcpu, 1);
        if (emulation->arrived.fetch_add(1) + 1 == emulation->settings.started_vcpus()) {
            const std::array<std::byte, page_size> zeros{};
            static_cast<void>(emulation->memory.write({stub_address}, zeros));
        }
    }
    if (is_held(vcpu))
        stand_still(reset_vector);
}

void watch_for_r8(qemu_plugin_tb* block) {
    qemu_plugin_register_vcpu_tb_exec_cond_cb(block, give_r8, QEMU_PLUGIN_CB_RW_REGS,
                                              QEMU_PLUGIN_COND_NE, emulation->lacks_r8, 0, nullptr);
}

void stand_still(std::uint64_t address) {
    ::usleep(held_microseconds);
    qemu_plugin_set_pc(address);
}

void watch_stops(qemu_plugin_insn* instruction) {
    const std::uint64_t address = qemu_plugin_insn_vaddr(instruction);
    if (emulation->schedule.watches(address))
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_stop, QEMU_PLUGIN_CB_RW_REGS_PC,
                                               reinterpret_cast<void*>(address));
}

void arrive_again(unsigned vcpu) {
    if (!emulation->faults.others_arrive_twice || vcpu == 0 || arrival.times != 1)
        return;
    arrival.times = 2;
    qemu_plugin_u64_set(emulation->lacks_r8, vcpu, 1);
    write_registers(arrival.registers, read_registers());
    enter_initial_mode();
    qemu_plugin_set_pc(reset_vector);
}

} // namespace tdshim::td_emu
