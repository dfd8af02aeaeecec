// SPDX-License-Identifier: Apache-2.0
//
// #VE: what an instruction wanted is asked of the VMM [Intel TDX Module 1.5 ABI, virtualization
// exceptions; GHCI 2.4]. Of memory, that is a device's registers by a mapping with the shared bit;
// a #VE for anything else in memory is a VMM that took a page away, and is not answered.
#include <algorithm>
#include <array>

#include "payload/runtime/exceptions.hpp"
#include "payload/runtime/mmio_instruction.hpp"
#include "payload/runtime/runtime.hpp"
#include "shim/platform/td/tdvmcall.hpp"

namespace tdshim::runtime {
namespace {

constexpr std::uint32_t ept_violation = 48; // [Intel SDM 3D, appendix C]
constexpr std::uint64_t longest_instruction = 15;

/// Register `number` as instructions count them.
std::uint64_t& register_of(Frame& frame, unsigned number) {
    td::GeneralRegisters& all = frame.registers;
    const std::array<std::uint64_t*, 16> by_number{
        &all.rax, &all.rcx, &all.rdx, &all.rbx, &frame.rsp, &all.rbp, &all.rsi, &all.rdi,
        &all.r8,  &all.r9,  &all.r10, &all.r11, &all.r12,   &all.r13, &all.r14, &all.r15};
    return *by_number[number];
}

/// 8 and 16 bits leave the rest of a register as it is, 32 bits clear it.
void put(std::uint64_t& target, std::uint64_t value, unsigned size) {
    const std::uint64_t kept = size < 4 ? ~std::uint64_t{0} << (8 * size) : 0;
    target = (target & kept) | value;
}

Result<void> emulate_mmio(Frame& frame, const td::VeInfo& info) {
    if ((info.gpa.value & shared_bit()) == 0)
        return refuse(Fault::ve_not_emulated, frame.rip, shared_bit(), info.gpa.value);
    const Gpa address{info.gpa.value & ~shared_bit()};
    // Code ends with its last page, which may be near.
    const std::uint64_t page_end = align_down(frame.rip, page_size) + page_size;
    const std::uint64_t size = std::min(longest_instruction, page_end - frame.rip);
    const auto instruction = decode_mmio(Bytes(reinterpret_cast<std::byte*>(frame.rip), size));
    if (!instruction)
        return refuse(Fault::ve_not_emulated, frame.rip, 0, info.exit_reason);
    std::uint64_t& target = register_of(frame, instruction->register_number);
    if (instruction->is_write)
        TRY(td::write_mmio(address, instruction->size, instruction->constant.value_or(target)));
    else
        put(target, TRY(td::read_mmio(address, instruction->size)), instruction->result_size);
    frame.rip += instruction->length;
    return {};
}

} // namespace

Result<void> emulate_ve(Frame& frame, const td::VeInfo& info) {
    if (info.exit_reason == ept_violation)
        return emulate_mmio(frame, info);
    TRY(td::emulate(frame.registers, frame.rflags, info));
    if (info.instruction_length > longest_instruction)
        return refuse(Fault::ve_not_emulated, frame.rip, longest_instruction,
                      info.instruction_length);
    frame.rip += info.instruction_length;
    return {};
}

bool handle_ve(Frame& frame) {
    // The module keeps one #VE: it is fetched before anything that might raise another.
    const auto info = td::read_ve_info();
    if (!info)
        return false;
    if (const auto emulated = emulate_ve(frame, *info); !emulated) {
        print(Line() << "payload: #VE: " << emulated.error());
        return false;
    }
    return true;
}

} // namespace tdshim::runtime
