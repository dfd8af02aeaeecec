// SPDX-License-Identifier: Apache-2.0
//
// The QEMU plugin of td-emu: connects QEMU's vCPUs to the model of the TDX module. Before the first
// instruction it sends the first processor through the stub; while the firmware runs it holds every
// instruction and access to a TD's rules, and a payload that is not Linux as well; from Linux on it
// answers TDCALL and CPUID leaf 0x21 alone. Arguments: one JSON file, settings=FILE.

#include <cstdio>
#include <cstdlib>
#include <format>
#include <fstream>
#include <string>

#include "tools/td-emu/plugin/accesses.hpp"
#include "tools/td-emu/plugin/arrival.hpp"
#include "tools/td-emu/plugin/calls.hpp"
#include "tools/td-emu/plugin/emulation.hpp"
#include "tools/td-emu/plugin/exceptions.hpp"
#include "tools/td-emu/plugin/halt.hpp"
#include "tools/td-emu/plugin/hand_over.hpp"
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
    if (rule.exception == Exception::virtualization) {
        const auto length = static_cast<std::uint32_t>(instruction.next - instruction.address);
        raise_ve(vcpu, instruction.address, ve_info(instruction.special, registers, length),
                 rule.text, instruction.address);
    }
    const std::string_view problem =
        deliver(static_cast<unsigned>(rule.exception), instruction.address);
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
    const Instruction instruction = executed_instruction(vcpu, data);
    if (!emulation->holds_rules)
        return;
    const Registers registers = read_registers();
    if (instruction.special.kind == Kind::halt && is_sent_to_halt(registers))
        return;
    const Configuration& td = emulation->settings.configuration;
    const auto rule = broken_rule(
        instruction.special, registers,
        {td.td_info.attributes, td.td_info.xfam, read_efer(), emulation->td.ve_controls(vcpu)});
    if (!rule) {
        if (instruction.special.kind == Kind::rdmsr)
            answer_rdmsr(instruction, registers);
        return;
    }
    if (emulation->settings.delivers_exceptions)
        raise_exception(vcpu, instruction, *rule, registers);
    emulation->stop_by_finding(instruction.address, std::string(rule->text), instruction.address);
}

void on_store(unsigned, qemu_plugin_meminfo_t, std::uint64_t address, void*) {
    if (!emulation->runs_payload)
        emulation->stacks.note(address);
}

/// Linux's boot_params are where its 64-bit entry wants them, with the header that bzImage brings
/// [Linux Documentation/arch/x86/boot.rst].
bool starts_linux() {
    constexpr std::uint64_t boot_flag_offset = 0x1FE;
    constexpr std::uint64_t magic_offset = 0x202;
    constexpr std::uint16_t boot_flag = 0xAA55;
    constexpr std::uint32_t magic = 0x53726448; // "HdrS"
    const std::uint64_t params = read_registers()[rsi];
    le16 flag;
    le32 found;
    return emulation->memory.read({params + boot_flag_offset},
                                  std::as_writable_bytes(std::span(&flag, 1))) &&
           emulation->memory.read({params + magic_offset},
                                  std::as_writable_bytes(std::span(&found, 1))) &&
           flag == boot_flag && found == magic;
}

void on_payload(unsigned vcpu, void* entry) {
    if (emulation->runs_payload)
        return;
    check_hand_over_by(vcpu, value_of(entry)); // who is stopped goes on behind the next line
    if (emulation->runs_payload.exchange(true))
        return;
    emulation->has_left_image = true;
    emulation->payload_is_linux = starts_linux();
    emulation->holds_rules = emulation->settings.is_our_firmware && !emulation->payload_is_linux;
    emulation->write_log();
    emulation->take_statistics();
    check_pages_of_payload(value_of(entry));
    if (emulation->settings.until_payload)
        emulation->stop();
}

/// The rules end here for firmware of another make, which has yet to start its payload.
void on_copied_code(unsigned, void*) {
    emulation->holds_rules = false;
    emulation->has_left_image = true;
}

/// Kernels of operating systems are there, and no firmware is [UEFI 2.10, 2.3.4: its memory is
/// mapped at its own addresses].
bool is_upper_half(std::uint64_t address) {
    return address >> 63 != 0;
}

/// What our firmware starts is the payload; what another's executes outside of its image may be its
/// own code still.
bool is_payload(std::uint64_t address) {
    return emulation->settings.is_our_firmware || is_upper_half(address);
}

bool is_firmware(std::uint64_t address) {
    for (const GpaRange& range : emulation->settings.firmware)
        if (range.start().value <= address && address < range.end().value)
            return true;
    return false;
}

/// The image of a TD is memory, which its first stage may write to before it has any other; QEMU's
/// -bios does not change by stores. The stage is mapped at its own addresses.
void on_store_by_image(unsigned, qemu_plugin_meminfo_t info, std::uint64_t address, void*) {
    if (!is_firmware(address))
        return;
    const qemu_plugin_mem_value value = qemu_plugin_mem_get_value(info);
    const std::size_t size = std::size_t{1} << qemu_plugin_mem_size_shift(info);
    const auto bytes = std::as_bytes(std::span(&value.data, 1));
    if (size > bytes.size() || !write_linear(address, bytes.first(size)))
        emulation->stop_by_finding(address, "store to the image that td-emu cannot carry out",
                                   address);
}

bool is_stub(std::uint64_t address) {
    return !emulation->has_left_image && address >= stub_address &&
           address < stub_address + page_size;
}

void count(qemu_plugin_insn* instruction) {
    qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(instruction, QEMU_PLUGIN_INLINE_ADD_U64,
                                                        emulation->instructions, 1);
}

/// `is_watched`: rules hold, or may, when it is executed. True where the block's place is asked
/// for.
bool watch(qemu_plugin_insn* instruction, bool in_firmware, bool is_watched) {
    std::array<std::uint8_t, 16> bytes{};
    const std::size_t size = qemu_plugin_insn_data(instruction, bytes.data(), bytes.size());
    const std::uint64_t address = qemu_plugin_insn_vaddr(instruction);
    if (in_firmware && address == reset_vector)
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_reset_vector,
                                               QEMU_PLUGIN_CB_RW_REGS_PC, nullptr);
    if (in_firmware && !emulation->settings.is_our_firmware)
        qemu_plugin_register_vcpu_mem_cb(instruction, on_store_by_image, QEMU_PLUGIN_CB_R_REGS,
                                         QEMU_PLUGIN_MEM_W, nullptr);
    if (in_firmware)
        watch_stops(instruction);
    if (is_watched)
        watch_accesses(instruction);
    else if (emulation->settings.watches_payload && emulation->runs_payload)
        watch_accesses_of_linux(instruction);
    if (in_firmware && emulation->settings.is_tdshim && emulation->settings.wants_statistics)
        qemu_plugin_register_vcpu_mem_cb(instruction, on_store, QEMU_PLUGIN_CB_R_REGS,
                                         QEMU_PLUGIN_MEM_W, nullptr);
    if (in_firmware)
        watch_page_tables(instruction, std::span(bytes).first(size));
    if (is_watched)
        watch_descriptor_tables(instruction, std::span(bytes).first(size));
    const auto special = find_special(std::span(bytes).first(size));
    if (!special)
        return false;
    void* const data = keep_translated({address, address + size, *special});
    if (special->kind == Kind::tdcall)
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_tdcall, QEMU_PLUGIN_CB_RW_REGS_PC,
                                               data);
    else if (is_watched)
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_special, QEMU_PLUGIN_CB_RW_REGS_PC,
                                               data);
    if (special->kind == Kind::cpuid)
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_cpuid, QEMU_PLUGIN_CB_RW_REGS_PC,
                                               data);
    return true;
}

void on_translation(qemu_plugin_tb* block, void*) {
    const std::size_t size = qemu_plugin_tb_n_insns(block);
    const std::uint64_t first = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0));
    const bool in_firmware = is_firmware(first);
    const bool is_outside = !in_firmware && !is_stub(first);
    const bool begins_payload = is_outside && is_payload(first);
    if (begins_payload && !emulation->runs_payload)
        qemu_plugin_register_vcpu_tb_exec_cb(block, on_payload, QEMU_PLUGIN_CB_R_REGS,
                                             pointer_of(first));
    if (is_outside && !begins_payload && !emulation->has_left_image)
        qemu_plugin_register_vcpu_tb_exec_cb(block, on_copied_code, QEMU_PLUGIN_CB_NO_REGS,
                                             nullptr);
    const bool is_counted = in_firmware || (is_outside && !begins_payload);
    const bool counts = is_counted && emulation->settings.wants_statistics;
    if (in_firmware) {
        watch_fetches(block);
        watch_for_r8(block);
    }
    watch_positions(block);
    watch_end_of_halt(qemu_plugin_tb_get_insn(block, 0));
    bool asks_for_place = false;
    for (std::size_t i = 0; i < size; ++i) {
        qemu_plugin_insn* const instruction = qemu_plugin_tb_get_insn(block, i);
        if (counts)
            count(instruction);
        const bool is_watched = in_firmware || (is_outside && emulation->holds_rules);
        asks_for_place |= watch(instruction, in_firmware, is_watched);
    }
    if (asks_for_place)
        watch_place(block);
}

void on_exit(qemu_plugin_id_t, void*) {
    if (!emulation->runs_payload)
        emulation->take_instructions();
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
    std::ofstream(settings->result_file).flush();
    emulation = new Emulation(*settings, *faults);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation, nullptr);
    qemu_plugin_register_atexit_cb(id, on_exit, nullptr);
    return 0;
}
}
