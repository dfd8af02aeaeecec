// SPDX-License-Identifier: Apache-2.0
//
// The QEMU plugin of td-emu: connects QEMU's vCPUs to the model of the TDX module. Before the first
// instruction it sends the first processor through the stub; while the firmware runs it holds every
// instruction and access to a TD's rules; from the payload on it answers TDCALL and CPUID leaf 0x21
// alone. Arguments: one JSON file, settings=FILE.

#include <cstdio>
#include <cstdlib>
#include <format>
#include <string>

#include "tools/td-emu/plugin/arrival.hpp"
#include "tools/td-emu/plugin/calls.hpp"
#include "tools/td-emu/plugin/emulation.hpp"
#include "tools/td-emu/plugin/exceptions.hpp"
#include "tools/td-emu/plugin/halt.hpp"
#include "tools/td-emu/plugin/instruction.hpp"
#include "tools/td-emu/plugin/page_watch.hpp"
#include "tools/td-emu/plugin/rules.hpp"
#include "tools/td-emu/settings.hpp"

namespace tdshim::td_emu { namespace {

using namespace tdx_model;

std::uint64_t value_of(void* data) {
    return reinterpret_cast<std::uint64_t>(data);
}

void* pointer_of(std::uint64_t value) {
    return reinterpret_cast<void*>(value);
}

[[noreturn]] void raise_exception(unsigned vcpu, const Instruction& instruction,
                                  const BrokenRule& rule, const Registers& registers) {
    unsigned vector = general_protection;
    if (rule.exception == Exception::virtualization) {
        const auto length = static_cast<std::uint32_t>(instruction.next - instruction.address);
        const VeInfo info = ve_info(instruction.special, registers, length);
        vector = emulation->td.raise_ve(vcpu, info) ? virtualization_exception : double_fault;
    }
    const std::string_view problem = deliver(vector, instruction.address);
    emulation->stop_by_finding(instruction.address, std::format("{}, {}", rule.text, problem),
                               instruction.address);
}

/// Steps over it where the module answers, not the processor.
void answer_rdmsr(const Instruction& instruction, const Registers& before) {
    const auto value = value_of_module(static_cast<std::uint32_t>(before[rcx]));
    if (!value)
        return;
    Registers registers = before;
    registers[rax] = static_cast<std::uint32_t>(*value);
    registers[rdx] = *value >> 32;
    write_registers(registers, before);
    qemu_plugin_set_pc(instruction.next);
}

void on_special(unsigned vcpu, void* data) {
    const auto& instruction = *static_cast<const Instruction*>(data);
    if (emulation->runs_payload)
        return;
    const Registers registers = read_registers();
    const Configuration& td = emulation->settings.configuration;
    const auto rule = broken_rule(instruction.special, registers,
                                  {td.td_info.attributes, td.td_info.xfam, read_efer()});
    if (!rule) {
        if (instruction.special.kind == Kind::rdmsr)
            answer_rdmsr(instruction, registers);
        return;
    }
    if (emulation->settings.delivers_exceptions)
        raise_exception(vcpu, instruction, *rule, registers);
    emulation->stop_by_finding(instruction.address, std::string(rule->text), instruction.address);
}

/// Pages of this thread that are known to be good, until any page changes.
struct KnownPages {
    static constexpr std::size_t size = 256;
    std::uint64_t generation = 0;
    std::array<std::uint64_t, size> pages{};
};

void on_access(unsigned, qemu_plugin_meminfo_t info, std::uint64_t address, void* data) {
    if (emulation->runs_payload)
        return;
    const qemu_plugin_hwaddr* const where = qemu_plugin_get_hwaddr(info, address);
    if (where == nullptr || qemu_plugin_hwaddr_is_io(where))
        emulation->stop_by_finding(value_of(data), "access to memory that is a device's", address);
    const std::uint64_t gpa = qemu_plugin_hwaddr_phys_addr(where);
    thread_local KnownPages known;
    if (known.generation != emulation->generation) {
        known = {};
        known.generation = emulation->generation;
    }
    const std::uint64_t page = address / page_size;
    std::uint64_t& slot = known.pages[page % KnownPages::size];
    if (slot == page + 1)
        return;
    const unsigned width = emulation->settings.configuration.gpa_width;
    const bool is_shared = (read_leaf(address) >> (width - 1) & 1) != 0;
    const auto finding =
        emulation->td.check_access({gpa}, 1U << qemu_plugin_mem_size_shift(info), is_shared);
    if (finding)
        emulation->stop_by_finding(value_of(data), finding->rule, finding->address);
    slot = page + 1;
}

void on_store(unsigned, qemu_plugin_meminfo_t, std::uint64_t address, void*) {
    if (!emulation->runs_payload)
        emulation->stacks.note(address);
}

void on_payload(unsigned, void* entry) {
    if (emulation->runs_payload.exchange(true))
        return;
    emulation->write_log();
    emulation->take_statistics();
    check_pages_of_payload(value_of(entry));
    if (emulation->settings.until_payload)
        emulation->stop();
}

bool is_firmware(std::uint64_t address) {
    for (const GpaRange& range : emulation->settings.firmware)
        if (range.start().value <= address && address < range.end().value)
            return true;
    return false;
}

bool is_stub(std::uint64_t address) {
    return !emulation->runs_payload && address >= stub_address &&
           address < stub_address + page_size;
}

void watch(qemu_plugin_insn* instruction, bool in_firmware) {
    std::array<std::uint8_t, 16> bytes{};
    const std::size_t size = qemu_plugin_insn_data(instruction, bytes.data(), bytes.size());
    const std::uint64_t address = qemu_plugin_insn_vaddr(instruction);
    if (in_firmware && address == reset_vector)
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_reset_vector,
                                               QEMU_PLUGIN_CB_RW_REGS_PC, nullptr);
    if (in_firmware)
        qemu_plugin_register_vcpu_mem_cb(instruction, on_access, QEMU_PLUGIN_CB_R_REGS,
                                         QEMU_PLUGIN_MEM_RW, pointer_of(address));
    if (in_firmware && emulation->settings.wants_statistics) {
        qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(instruction, QEMU_PLUGIN_INLINE_ADD_U64,
                                                            emulation->instructions, 1);
        qemu_plugin_register_vcpu_mem_cb(instruction, on_store, QEMU_PLUGIN_CB_R_REGS,
                                         QEMU_PLUGIN_MEM_W, nullptr);
    }
    if (in_firmware)
        watch_page_tables(instruction, std::span(bytes).first(size));
    if (in_firmware)
        watch_descriptor_tables(instruction, std::span(bytes).first(size));
    const auto special = find_special(std::span(bytes).first(size));
    if (!special)
        return;
    // Kept for as long as QEMU may call: translations are never told to be gone.
    const auto* const kept = new Instruction{address, address + size, *special};
    void* const data = const_cast<Instruction*>(kept);
    if (special->kind == Kind::tdcall)
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_tdcall, QEMU_PLUGIN_CB_RW_REGS_PC,
                                               data);
    else if (in_firmware)
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_special, QEMU_PLUGIN_CB_RW_REGS_PC,
                                               data);
    if (special->kind == Kind::cpuid)
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_cpuid, QEMU_PLUGIN_CB_RW_REGS_PC,
                                               data);
}

void on_translation(qemu_plugin_tb* block, void*) {
    const std::size_t count = qemu_plugin_tb_n_insns(block);
    const std::uint64_t first = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0));
    const bool in_firmware = is_firmware(first);
    if (!in_firmware && !is_stub(first) && !emulation->runs_payload)
        qemu_plugin_register_vcpu_tb_exec_cb(block, on_payload, QEMU_PLUGIN_CB_R_REGS,
                                             pointer_of(first));
    watch_end_of_halt(qemu_plugin_tb_get_insn(block, 0));
    for (std::size_t i = 0; i < count; ++i)
        watch(qemu_plugin_tb_get_insn(block, i), in_firmware);
}

void on_exit(qemu_plugin_id_t, void*) {
    emulation->write_result();
}

}} // namespace tdshim::td_emu

extern "C" {

[[gnu::visibility("default")]] int qemu_plugin_version = 7;

[[gnu::visibility("default")]] int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t*,
                                                       int argc, char** argv) {
    using namespace tdshim::td_emu;
    constexpr std::string_view option = "settings=";
    if (argc != 1 || !std::string_view(argv[0]).starts_with(option)) {
        std::fputs("td-emu: the plugin is started by td-emu alone\n", stderr);
        return 1;
    }
    const auto settings = read_settings(argv[0] + option.size());
    if (!settings)
        return 1;
    const auto faults = settings->fault_text.empty() ? std::expected<Faults, std::string>{}
                                                     : parse_faults(settings->fault_text);
    if (!faults)
        return 1;
    emulation = new Emulation(*settings, *faults);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation, nullptr);
    qemu_plugin_register_atexit_cb(id, on_exit, nullptr);
    return 0;
}
}
