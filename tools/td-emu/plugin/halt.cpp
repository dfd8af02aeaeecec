// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/halt.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <set>

#include "tools/td-emu/plugin/engine.hpp"

namespace tdshim::td_emu {
namespace {

using namespace tdx_model;

constexpr std::array sti_hlt{std::byte{0xFB}, std::byte{0xF4}};
// Linux has several in the pages of its idle loops, where the TDCALL is as well.
constexpr std::uint64_t max_distance = 16 * MiB;

constexpr std::uint64_t rflags_interrupts = 1 << 9;
constexpr std::uint64_t entry_present = 1;
constexpr std::uint64_t entry_no_execute = std::uint64_t{1} << 63;

// While it is halted a vCPU keeps in R10 that it is, and whether interrupts were enabled, and in
// R11 where it goes on: both are the VMM's to change in any TDVMCALL. A guest that runs something
// else in an interrupt, and halts there, saves them with its registers.
constexpr std::uint64_t is_halted = 0x7464'2D65'6D75'0000; // "td-emu"
constexpr std::uint64_t had_interrupts = 1;

/// Where the instructions are, 0 before any were looked for.
std::atomic<std::uint64_t> place = 0;
/// Held by who looks for them.
std::mutex learning;
/// Where vCPUs come out, of every place that ever was one: some may still be halted there.
std::set<std::uint64_t> ends;
std::mutex ends_mutex;

bool is_code(std::uint64_t address) {
    const std::uint64_t entry = read_leaf(address);
    return (entry & entry_present) != 0 && (entry & entry_no_execute) == 0;
}

bool is_still_there(std::uint64_t address) {
    std::array<std::byte, sti_hlt.size()> bytes{};
    return address != 0 && is_code(address) && read_linear(address, bytes) && bytes == sti_hlt;
}

std::optional<std::uint64_t> find_in_page(std::uint64_t page) {
    std::array<std::byte, page_size> bytes{};
    if (!is_code(page) || !read_linear(page, bytes))
        return std::nullopt;
    // What stands behind them is translated as well: up to 15 bytes.
    const auto searched = std::span(bytes).first(page_size - 16);
    const auto found = std::ranges::search(searched, sti_hlt);
    if (found.empty())
        return std::nullopt;
    return page + static_cast<std::uint64_t>(found.begin() - searched.begin());
}

std::optional<std::uint64_t> find_around(std::uint64_t address) {
    const std::uint64_t page = align_down(address, page_size);
    for (std::uint64_t distance = 0; distance < max_distance; distance += page_size)
        for (const std::uint64_t candidate : {page + distance, page - distance})
            if (const auto found = find_in_page(candidate))
                return found;
    return std::nullopt;
}

/// Makes QEMU translate anew what may have been translated before it was known for an end.
bool learn(std::uint64_t address) {
    std::array<std::byte, sti_hlt.size() + 1> bytes{};
    if (!read_linear(address, bytes))
        return false;
    {
        const std::lock_guard lock(ends_mutex);
        ends.insert(address + sti_hlt.size());
    }
    if (!write_linear(address, bytes))
        return false;
    place = address;
    return true;
}

void on_end(unsigned, void*) {
    const Registers before = read_registers();
    if (!is_sent_to_halt(before))
        return; // the guest came here by itself
    Registers registers = before;
    registers[r10] = registers[r11] = 0;
    if ((before[r10] & had_interrupts) == 0)
        write_rflags(read_control_state().rflags & ~rflags_interrupts);
    write_registers(registers, before);
    qemu_plugin_set_pc(before[r11]);
}

} // namespace

bool is_sent_to_halt(const Registers& registers) {
    return (registers[r10] & ~had_interrupts) == is_halted;
}

void watch_end_of_halt(qemu_plugin_insn* instruction) {
    const std::lock_guard lock(ends_mutex);
    if (ends.contains(qemu_plugin_insn_vaddr(instruction)))
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_end, QEMU_PLUGIN_CB_RW_REGS_PC,
                                               nullptr);
}

void halt_before(std::uint64_t next, const Registers& registers, const Registers& before,
                 bool takes_interrupts) {
    std::uint64_t begin = place;
    if (!is_still_there(begin)) {
        const std::lock_guard lock(learning);
        const auto found = find_around(next);
        if (!found || !learn(*found))
            return;
        begin = *found;
    }
    const std::uint64_t rflags = read_control_state().rflags;
    Registers halted = registers;
    halted[r10] = is_halted | ((rflags & rflags_interrupts) != 0 ? had_interrupts : 0);
    halted[r11] = next;
    write_registers(halted, before);
    // STI holds interrupts back until HLT is executed: none comes between. Where the guest wants
    // none, HLT alone is executed.
    write_rflags(rflags & ~rflags_interrupts);
    qemu_plugin_set_pc(begin + (takes_interrupts ? 0 : 1));
}

} // namespace tdshim::td_emu
