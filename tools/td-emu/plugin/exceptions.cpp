// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/exceptions.hpp"

#include <array>
#include <format>

#include "tools/td-emu/plugin/emulation.hpp"
#include "tools/td-emu/plugin/engine.hpp"

namespace tdshim::td_emu {
namespace {

constexpr std::uint64_t efer_long_mode_active = 1 << 10;
constexpr std::uint64_t rflags_trap = 1 << 8;
constexpr std::uint64_t rflags_interrupts = 1 << 9;
constexpr std::uint64_t rflags_nested_task = 1 << 14;
constexpr std::uint64_t rflags_resume = 1 << 16;
constexpr std::uint8_t interrupt_gate = 0x8E; // present, of ring 0
constexpr std::uint8_t trap_gate = 0x8F;

struct Gate {
    std::uint16_t offset_low;
    std::uint16_t selector;
    std::uint8_t stack;
    std::uint8_t attributes;
    std::uint16_t offset_middle;
    std::uint32_t offset_high;
    std::uint32_t reserved;

    [[nodiscard]] std::uint64_t handler() const {
        return std::uint64_t{offset_high} << 32 | std::uint64_t{offset_middle} << 16 | offset_low;
    }
};
static_assert(sizeof(Gate) == 16);

struct TssDescriptor {
    std::uint16_t limit_low;
    std::uint16_t base_low;
    std::uint8_t base_middle;
    std::uint8_t type;
    std::uint8_t limit_high;
    std::uint8_t base_high;
    std::uint32_t base_upper;
    std::uint32_t reserved;

    [[nodiscard]] std::uint64_t base() const {
        return std::uint64_t{base_upper} << 32 | std::uint64_t{base_high} << 24 |
               std::uint64_t{base_middle} << 16 | base_low;
    }
};
static_assert(sizeof(TssDescriptor) == 16);
constexpr std::uint64_t ist_in_tss = 36; // IST1

struct Table {
    std::uint64_t base = 0;
    std::uint64_t limit = 0;
};
/// A vCPU is a thread: what it loaded last.
thread_local Table idt;
thread_local Table gdt;
thread_local std::uint64_t task_register = 0;

/// LIDT and LGDT read 16 bits of limit, then 32 or 64 of base.
void on_table_read(Table& table, qemu_plugin_meminfo_t info) {
    const qemu_plugin_mem_value value = qemu_plugin_mem_get_value(info);
    switch (qemu_plugin_mem_size_shift(info)) {
    case 1: table.limit = value.data.u16; break;
    case 2: table.base = value.data.u32; break;
    case 3: table.base = value.data.u64; break;
    default: break;
    }
}

void on_lidt(unsigned, qemu_plugin_meminfo_t info, std::uint64_t, void*) {
    on_table_read(idt, info);
}

void on_lgdt(unsigned, qemu_plugin_meminfo_t info, std::uint64_t, void*) {
    on_table_read(gdt, info);
}

void on_ltr(unsigned, void* source) {
    const auto number = reinterpret_cast<std::uint64_t>(source);
    task_register = read_registers()[number] & 0xFFFF;
}

template <class T>
bool read_object(std::uint64_t address, T& object) {
    return read_linear(address, std::as_writable_bytes(std::span(&object, 1)));
}

bool find_stack(unsigned number, std::uint64_t& stack) {
    TssDescriptor task{};
    return task_register + sizeof(task) - 1 <= gdt.limit &&
           read_object(gdt.base + (task_register & ~std::uint64_t{7}), task) &&
           read_object(task.base() + ist_in_tss + 8 * (number - 1), stack);
}

bool push_frame(unsigned vector, std::uint64_t rip, const ControlState& state,
                std::uint64_t old_stack, std::uint64_t& stack) {
    const std::array<std::uint64_t, 5> frame{rip, state.cs, state.rflags, old_stack, state.ss};
    stack = (stack & ~std::uint64_t{15}) - sizeof(frame);
    if (!write_linear(stack, std::as_bytes(std::span(frame))))
        return false;
    if (vector == invalid_opcode || vector == virtualization_exception)
        return true;
    const std::array<std::uint64_t, 1> error_code{0};
    stack -= sizeof(error_code);
    return write_linear(stack, std::as_bytes(std::span(error_code)));
}

} // namespace

void watch_descriptor_tables(qemu_plugin_insn* instruction, std::span<const std::uint8_t> bytes) {
    std::uint8_t extension = 0;
    while (!bytes.empty() && (bytes[0] == 0x66 || bytes[0] == 0x67 || (bytes[0] & 0xF0) == 0x40 ||
                              bytes[0] == 0x2E)) {
        extension = (bytes[0] & 0xF0) == 0x40 ? bytes[0] & 1 : 0;
        bytes = bytes.subspan(1);
    }
    if (bytes.size() < 3 || bytes[0] != 0x0F || bytes[1] > 1)
        return;
    const unsigned operation = bytes[2] >> 3 & 7;
    const bool is_memory = bytes[2] >> 6 != 3;
    if (bytes[1] == 1 && is_memory && (operation == 2 || operation == 3))
        qemu_plugin_register_vcpu_mem_cb(instruction, operation == 2 ? on_lgdt : on_lidt,
                                         QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, nullptr);
    if (bytes[1] == 0 && !is_memory && operation == 3) {
        const std::uint64_t source = (bytes[2] & 7U) | unsigned{extension} << 3;
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_ltr, QEMU_PLUGIN_CB_R_REGS,
                                               reinterpret_cast<void*>(source));
    }
}

std::string_view deliver(unsigned vector, std::uint64_t rip) {
    if ((read_efer() & efer_long_mode_active) == 0)
        return "outside of 64-bit mode";
    Gate gate{};
    if (sizeof(gate) * (vector + 1) - 1 > idt.limit ||
        !read_object(idt.base + sizeof(gate) * vector, gate))
        return "beyond the end of the IDT";
    const ControlState state = read_control_state();
    if ((gate.attributes != interrupt_gate && gate.attributes != trap_gate) ||
        gate.selector != state.cs)
        return "without a gate to ring 0's code";
    const tdx_model::Registers before = read_registers();
    std::uint64_t stack = before[tdx_model::rsp];
    if (gate.stack != 0 && !find_stack(gate.stack & 7, stack))
        return "without the stack that its gate names";
    if (!push_frame(vector, rip, state, before[tdx_model::rsp], stack))
        return "without a stack";
    tdx_model::Registers registers = before;
    registers[tdx_model::rsp] = stack;
    write_registers(registers, before);
    const std::uint64_t kept = gate.attributes == interrupt_gate ? ~rflags_interrupts : ~0ULL;
    write_rflags(state.rflags & kept & ~(rflags_trap | rflags_nested_task | rflags_resume));
    qemu_plugin_set_pc(gate.handler());
}

void raise_ve(unsigned vcpu, std::uint64_t rip, const tdx_model::VeInfo& info,
              std::string_view rule, std::uint64_t address) {
    const unsigned vector =
        emulation->td.raise_ve(vcpu, info) ? virtualization_exception : double_fault;
    emulation->stop_by_finding(rip, std::format("{}, {}", rule, deliver(vector, rip)), address);
}

} // namespace tdshim::td_emu
