// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/accesses.hpp"

#include <array>
#include <optional>
#include <string>

#include "tools/td-emu/plugin/emulation.hpp"
#include "tools/td-emu/plugin/engine.hpp"
#include "tools/td-emu/plugin/exceptions.hpp"

namespace tdshim::td_emu {
namespace {

using namespace tdx_model;

/// Pages of this thread that are known to be good, by number, until any page changes.
struct KnownPages {
    static constexpr std::size_t size = 256;
    std::uint64_t generation = 0;
    std::array<std::uint64_t, size> pages{};

    /// Zero, or the number of a page plus one.
    [[nodiscard]] std::uint64_t& slot_of(std::uint64_t page) {
        if (generation != emulation->generation) {
            *this = {};
            generation = emulation->generation;
        }
        return pages[page % size];
    }
};
// By linear address; of Linux, whose page tables change, by GPA.
thread_local KnownPages known_data;
thread_local KnownPages known_code;
thread_local KnownPages known_of_linux;

bool is_shared(const LeafWalk& walk) {
    return (walk.leaf & emulation->settings.configuration.shared_bit()) != 0;
}

/// Does not return where a table that the processor reads is not the TD's.
void check_walk(const LeafWalk& walk, std::uint64_t rip) {
    for (const Gpa table : std::span(walk.tables).first(walk.depth))
        if (const auto finding = emulation->td.check_access(table, page_size))
            emulation->stop_by_finding(rip, "page walk: " + finding->rule, finding->address);
}

/// QEMU has it nowhere where the shared bit is one that page tables do not ignore.
void check_shared(std::uint64_t address, std::uint64_t rip) {
    constexpr unsigned widest_address = 52; // bits [Intel SDM, volume 3, 4.1.4]
    if (emulation->settings.configuration.gpa_width <= widest_address &&
        is_shared(walk_to_leaf(address)))
        emulation->stop_by_finding(
            rip, "access to shared memory, which is there at a GPA width of 53 alone", address);
}

/// The VMM has no memory there, and an EPT that says so by #VE for shared addresses alone. QEMU's
/// device has seen the access: the handler's TDVMCALL is the second.
[[noreturn]] void on_device(unsigned vcpu, qemu_plugin_meminfo_t info,
                            const qemu_plugin_hwaddr* where, std::uint64_t address,
                            std::uint64_t rip) {
    constexpr std::string_view rule = "access to memory that is a device's";
    constexpr std::uint32_t ept_violation = 48;
    constexpr std::uint64_t by_linear_address = 3 << 7; // of exit qualifications
    if (!emulation->settings.delivers_exceptions || where == nullptr ||
        !is_shared(walk_to_leaf(address)))
        emulation->stop_by_finding(rip, std::string(rule), address);
    const std::uint64_t shared_bit = emulation->settings.configuration.shared_bit();
    const std::uint64_t access = qemu_plugin_mem_is_store(info) ? 2 : 1;
    raise_ve(vcpu, rip,
             {.exit_reason = ept_violation,
              .exit_qualification = by_linear_address | access,
              .linear_address = address,
              .gpa = qemu_plugin_hwaddr_phys_addr(where) | shared_bit},
             rule, address);
}

void on_access(unsigned vcpu, qemu_plugin_meminfo_t info, std::uint64_t address, void* data) {
    if (!emulation->holds_rules)
        return;
    const auto rip = reinterpret_cast<std::uint64_t>(data);
    const qemu_plugin_hwaddr* const where = qemu_plugin_get_hwaddr(info, address);
    if (where == nullptr || qemu_plugin_hwaddr_is_io(where)) {
        check_shared(address, rip);
        on_device(vcpu, info, where, address, rip);
    }
    const std::uint64_t gpa = qemu_plugin_hwaddr_phys_addr(where);
    const std::uint64_t page = address / page_size;
    std::uint64_t& slot = known_data.slot_of(page);
    if (slot == page + 1)
        return;
    const LeafWalk walk = walk_to_leaf(address);
    check_walk(walk, rip);
    const auto finding =
        emulation->td.check_access({gpa}, 1U << qemu_plugin_mem_size_shift(info), is_shared(walk));
    if (finding)
        emulation->stop_by_finding(rip, finding->rule, finding->address);
    slot = page + 1;
}

/// A shared page is not pending, and of no device here anything is known.
void on_access_of_linux(unsigned, qemu_plugin_meminfo_t info, std::uint64_t address, void* data) {
    const qemu_plugin_hwaddr* const where = qemu_plugin_get_hwaddr(info, address);
    if (where == nullptr || qemu_plugin_hwaddr_is_io(where))
        return;
    const std::uint64_t gpa = qemu_plugin_hwaddr_phys_addr(where);
    const std::uint64_t page = gpa / page_size;
    std::uint64_t& slot = known_of_linux.slot_of(page);
    if (slot == page + 1)
        return;
    if (emulation->td.find_pending(GpaRange::between({page * page_size}, {(page + 1) * page_size})))
        emulation->stop_by_finding(reinterpret_cast<std::uint64_t>(data),
                                   "the payload's access to memory that nobody accepted", gpa);
    slot = page + 1;
}

void on_fetch(unsigned, void* data) {
    if (!emulation->holds_rules)
        return;
    const auto rip = reinterpret_cast<std::uint64_t>(data);
    const std::uint64_t page = rip / page_size;
    std::uint64_t& slot = known_code.slot_of(page);
    if (slot == page + 1)
        return;
    check_walk(walk_to_leaf(rip), rip);
    if (const auto finding = emulation->td.check_access({rip}, 1))
        emulation->stop_by_finding(rip, "fetch: " + finding->rule, finding->address);
    slot = page + 1;
}

} // namespace

void watch_accesses(qemu_plugin_insn* instruction) {
    qemu_plugin_register_vcpu_mem_cb(
        instruction, on_access,
        emulation->settings.delivers_exceptions ? QEMU_PLUGIN_CB_RW_REGS_PC : QEMU_PLUGIN_CB_R_REGS,
        QEMU_PLUGIN_MEM_RW, reinterpret_cast<void*>(qemu_plugin_insn_vaddr(instruction)));
}

void watch_accesses_of_linux(qemu_plugin_insn* instruction) {
    qemu_plugin_register_vcpu_mem_cb(instruction, on_access_of_linux, QEMU_PLUGIN_CB_NO_REGS,
                                     QEMU_PLUGIN_MEM_RW,
                                     reinterpret_cast<void*>(qemu_plugin_insn_vaddr(instruction)));
}

void watch_fetches(qemu_plugin_tb* block) {
    const std::uint64_t first = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0));
    qemu_plugin_register_vcpu_tb_exec_cb(block, on_fetch, QEMU_PLUGIN_CB_R_REGS,
                                         reinterpret_cast<void*>(first));
}

} // namespace tdshim::td_emu
