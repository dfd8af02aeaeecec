// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/calls.hpp"

#include <unistd.h>

#include "shim/formats/tdx/calls.hpp"
#include "shim/memory/layout.hpp"
#include "tools/td-emu/plugin/arrival.hpp"
#include "tools/td-emu/plugin/emulation.hpp"
#include "tools/td-emu/plugin/engine.hpp"
#include "tools/td-emu/plugin/halt.hpp"
#include "tools/td-emu/plugin/instruction.hpp"

namespace tdshim::td_emu {
namespace {

using namespace tdx_model;

constexpr unsigned idle_microseconds = 200;
constexpr std::uint32_t tdx_cpuid_leaf = 0x21;
constexpr std::uint64_t privilege_level = 3; // in CS

bool is_halt(const Registers& registers) {
    return registers[rax] == tdx::vp_vmcall && registers[r10] == 0 &&
           registers[r11] == tdx::vmcall_hlt;
}

/// Not above it, where kernels are.
bool is_in_reset_vector(const Instruction& instruction) {
    return instruction.address >= layout::reset_vector.start().value &&
           instruction.address < layout::reset_vector.end().value;
}

/// Processors that wait in the reset vector are the firmware's whatever the first one runs.
bool is_of_firmware(const Instruction& instruction) {
    return !emulation->runs_payload || is_in_reset_vector(instruction);
}

/// An extension and the log's event for it may come in either order: the log is looked at behind
/// an extension and before every later call, the last of which switches the machine off.
Outcome answer_payload(unsigned vcpu, Registers& registers) {
    ++emulation->payload_calls;
    emulation->keep_payload_log();
    const bool extends = registers[rax] == tdx::mr_rtmr_extend;
    const Outcome outcome = emulation->td.tdcall(vcpu, registers);
    if (extends && registers[rax] == 0) {
        emulation->payload_extends = true;
        emulation->keep_payload_log();
    }
    return outcome;
}

Outcome answer(unsigned vcpu, Registers& registers, const Instruction& instruction) {
    if (!is_of_firmware(instruction)) // Linux takes part in no test of the firmware's
        return answer_payload(vcpu, registers);
    if (vcpu == 0)
        ++emulation->first_calls;
    if (emulation->call_faults.answer(registers))
        return {};
    return emulation->hostile.tdcall(vcpu, registers);
}

/// Before the call is answered; a page may go at the same moment.
bool is_stopped(unsigned vcpu) {
    if (emulation->runs_payload)
        return false;
    const bool is_stopped = emulation->schedule.holds_call(vcpu);
    ++emulation->generation;
    return is_stopped;
}

/// Returns when the vCPU is to go on at once.
void wait_for_interrupt(const Instruction& instruction, const Registers& registers,
                        const Registers& before) {
    // The firmware's own pages are not looked through: it has nobody to wait for.
    if (emulation->has_left_image)
        halt_before(instruction.next, registers, before, (before[r12] & 1) == 0);
    ::usleep(idle_microseconds);
}

} // namespace

void on_tdcall(unsigned vcpu, void* data) {
    const Instruction instruction = executed_instruction(vcpu, data);
    // QEMU knows no TDCALL: the #UD that it raises in a process stands for a processor's #GP.
    if ((read_control_state().cs & privilege_level) != 0)
        return;
    if (!is_long_mode())
        emulation->stop_by_finding(instruction.address, "TDCALL outside of 64-bit mode raises #GP",
                                   instruction.address);
    if (is_stopped(vcpu))
        stand_still(instruction.address);
    const Registers before = read_registers();
    Registers registers = before;
    const Outcome outcome = answer(vcpu, registers, instruction);
    ++emulation->generation;
    if (emulation->trace.is_wanted())
        emulation->trace.write(vcpu, instruction.address, before, registers, outcome);
    if (outcome.finding)
        emulation->stop_by_finding(instruction.address, outcome.finding->rule,
                                   outcome.finding->address);
    if (outcome.fatal_error) {
        emulation->fatal_error = *outcome.fatal_error;
        emulation->stop();
    }
    // Not from the shim, where it is counted in: a vCPU is initialised once [TDH.VP.INIT].
    if (is_in_reset_vector(instruction))
        arrive_again(vcpu);
    if (is_halt(before) && registers[rax] == 0 && registers[r10] == tdx::vmcall_success)
        wait_for_interrupt(instruction, registers, before);
    write_registers(registers, before);
    qemu_plugin_set_pc(instruction.next);
}

void on_cpuid(unsigned vcpu, void* data) {
    const Instruction instruction = executed_instruction(vcpu, data);
    const Registers before = read_registers();
    // A payload may have code segments that do not begin at 0, while it has processors in real
    // mode.
    const bool is_flat = !emulation->has_left_image || is_long_mode();
    if (static_cast<std::uint32_t>(before[rax]) != tdx_cpuid_leaf || !is_flat)
        return;
    Registers registers = before;
    const bool is_first = static_cast<std::uint32_t>(before[rcx]) == 0 ||
                          !emulation->has_left_image; // the firmware asks with any ECX
    registers[rax] = 0;
    registers[rbx] = is_first ? 0x65746E49 : 0; // "IntelTDX    "
    registers[rdx] = is_first ? 0x5844546C : 0;
    registers[rcx] = is_first ? 0x20202020 : 0;
    write_registers(registers, before);
    qemu_plugin_set_pc(instruction.next);
}

} // namespace tdshim::td_emu
