// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/hand_over.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <format>

#include "shim/memory/layout.hpp"
#include "tools/td-emu/hand_over_rules.hpp"
#include "tools/td-emu/plugin/emulation.hpp"

namespace tdshim::td_emu {
namespace {

constexpr std::size_t max_vcpus = 64;

/// Memory of the shim's that a processor may still touch when it is to be the payload's, and what
/// it leaves to the payload.
constexpr std::array own_memory{layout::shim_code, layout::shim_data, layout::mailbox,
                                layout::event_log};

// Never destroyed, as the emulation itself.
struct Watched {
    /// Where the block begins that a vCPU executed last, 0 before any.
    qemu_plugin_u64 positions{qemu_plugin_scoreboard_new(sizeof(std::uint64_t)), 0};
    /// What a vCPU loaded CR3 with, 0 before any.
    std::array<std::atomic<std::uint64_t>, max_vcpus> roots{};
};

Watched& watched() {
    static Watched& all = *new Watched;
    return all;
}

/// Of what a fault file had the VMM fill memory and items with, in memory that the payload sees.
void check_nothing_is_left(std::uint64_t entry) {
    const std::vector<std::byte>& pattern = emulation->faults.fill;
    if (pattern.empty())
        return;
    const std::size_t before = pattern.size() - 1;
    std::vector<std::byte> bytes(before + page_size); // a page, and the end of the one before it
    for (const GpaRange& range : emulation->settings.ram)
        for (Gpa at = range.start(); at < range.end(); at.value += page_size) {
            const auto pending =
                emulation->td.find_pending(GpaRange::between(at, {at.value + page_size}));
            std::copy_n(bytes.end() - static_cast<std::ptrdiff_t>(before), before, bytes.begin());
            const auto page = std::span(bytes).subspan(before, page_size);
            const bool is_measured = emulation->settings.measured_copy.overlaps(
                GpaRange::between(at, {at.value + page_size}));
            if (pending || is_measured || !emulation->memory.read(at, page))
                std::ranges::fill(page, std::byte{0});
            const auto found = std::ranges::search(bytes, pattern);
            if (!found.empty())
                emulation->stop_by_finding(
                    entry, "bytes of the VMM's that nobody measured are left in memory",
                    at.value + static_cast<std::uint64_t>(found.begin() - bytes.begin()) - before);
        }
}

} // namespace

void watch_positions(qemu_plugin_tb* block) {
    const std::uint64_t first = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(block, 0));
    qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(block, QEMU_PLUGIN_INLINE_STORE_U64,
                                                      watched().positions, first);
}

std::uint64_t last_block(unsigned vcpu) {
    return qemu_plugin_u64_get(watched().positions, vcpu);
}

void note_page_tables(unsigned vcpu, std::uint64_t root) {
    watched().roots.at(vcpu) = root;
}

void check_hand_over_by(unsigned vcpu, std::uint64_t entry) {
    if (!emulation->settings.is_tdshim)
        return;
    for (unsigned other = 0; other < emulation->settings.configuration.vcpus; ++other) {
        const Progress now{last_block(other), watched().roots.at(other)};
        if (other != vcpu && !is_parked(now))
            emulation->stop_by_finding(
                entry, std::format("hand-over while vCPU {} is not parked", other), now.position);
    }
    for (const GpaRange& range : own_memory)
        if (const auto page = emulation->td.find_pending(range))
            emulation->stop_by_finding(entry, "hand-over while a page of the shim's is pending",
                                       page->value);
    check_nothing_is_left(entry);
}

} // namespace tdshim::td_emu
