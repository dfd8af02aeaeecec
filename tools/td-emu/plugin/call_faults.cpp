// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/call_faults.hpp"

namespace tdshim::td_emu {

using namespace tdx_model;

const CallFault* CallFaults::take_turn(bool is_vmcall, std::uint64_t call) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t number = ++calls_[{is_vmcall, call}];
    for (const CallFault& fault : faults_)
        if (fault.is_vmcall == is_vmcall && fault.call == call && fault.turn.has(number))
            return &fault;
    return nullptr;
}

bool CallFaults::answer(Registers& registers) {
    if (faults_.empty())
        return false;
    const bool is_vmcall = registers[rax] == 0;
    const CallFault* fault = take_turn(false, registers[rax] & 0xFFFF);
    if (is_vmcall && registers[r10] == 0)
        if (const CallFault* const of_vmm = take_turn(true, registers[r11]); fault == nullptr)
            fault = of_vmm;
    if (fault == nullptr)
        return false;
    // Of a TDVMCALL the module hands back the registers that the TD selected.
    const std::uint64_t selected = registers[rcx];
    const auto set = [&](Register number, std::uint64_t value) {
        if (!fault->is_vmcall || (selected >> number & 1) != 0)
            registers[number] = value;
    };
    registers[rax] = fault->is_vmcall ? 0 : fault->status;
    if (fault->is_vmcall)
        set(r10, fault->status);
    for (const auto& [number, value] : fault->registers)
        set(number, value);
    return true;
}

} // namespace tdshim::td_emu
