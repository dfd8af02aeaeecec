// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/page_watch.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <mutex>
#include <optional>
#include <utility>

#include "shim/memory/layout.hpp"
#include "tools/td-emu/page_rules.hpp"
#include "tools/td-emu/plugin/emulation.hpp"
#include "tools/td-emu/plugin/engine.hpp"
#include "tools/td-emu/plugin/hand_over.hpp"

namespace tdshim::td_emu {
namespace {

using tdx_model::Translation;

constexpr std::uint64_t cr0_write_protect = 1 << 16;
constexpr std::uint64_t cr4_five_levels = 1 << 12;
constexpr std::uint64_t efer_no_execute = 1 << 11;
constexpr std::array<std::pair<std::uint64_t, const char*>, 3> cr4_names{
    {{1 << 20, "SMEP"}, {1 << 21, "SMAP"}, {1 << 11, "UMIP"}}};

/// What all walks together found.
struct Found {
    std::mutex mutex;
    std::uint64_t walks = 0;
    std::optional<ShimPages> shim;
    std::vector<std::string> control;
    std::vector<Translation> both; ///< writable and executable, at the hand-over
};
// Never destroyed, as the emulation itself.
Found& found = *new Found;

/// A vCPU is a thread: whether it loaded tables with pages that are both writable and executable.
/// It is about to enter the payload then, and has nothing more to say to anybody.
thread_local bool hands_over = false;

bool is_in(std::uint64_t address, const GpaRange& range) {
    return address >= range.start().value && address < range.end().value;
}

[[noreturn]] void stop(std::uint64_t rip, const BrokenPageRule& rule) {
    emulation->stop_by_finding(rip, std::string(rule.text), rule.address);
}

std::vector<Translation> walk(std::uint64_t rip, std::uint64_t root, std::uint64_t cr4) {
    const auto read = [](Gpa table, tdx_model::PageTable& content) {
        return emulation->memory.read(table, std::as_writable_bytes(std::span(content)));
    };
    auto pages = tdx_model::walk_page_tables({root}, (cr4 & cr4_five_levels) != 0 ? 5 : 4, read);
    if (!pages)
        stop(rip, {"page table that is no memory or one of too many", pages.error().value});
    // To a processor an address bit, where the width is one of TDX's.
    for (Translation& page : *pages)
        page.physical &= ~emulation->settings.configuration.shared_bit();
    const std::lock_guard lock(found.mutex);
    ++found.walks;
    return *std::move(pages);
}

void note_control(const PagingState& state) {
    std::vector<std::string> names{"WP", "NXE"};
    for (const auto& [bit, name] : cr4_names)
        if ((state.cr4 & bit) != 0)
            names.emplace_back(name);
    const std::lock_guard lock(found.mutex);
    found.control = std::move(names);
}

/// How the shim was mapped when it was looked at first: `now`, if that is now.
ShimPages first_found(const ShimPages& now) {
    const std::lock_guard lock(found.mutex);
    if (!found.shim)
        found.shim = now;
    return *found.shim;
}

void check_own_tables(std::uint64_t rip, const PagingState& state, Translations pages) {
    if ((state.cr0 & cr0_write_protect) == 0 || (state.efer & efer_no_execute) == 0)
        stop(rip, {"page tables whose rights do not hold, for CR0.WP or EFER.NXE is clear", rip});
    const auto shim = check_shim_tables(pages, emulation->settings.unmeasured_payload);
    if (!shim)
        stop(rip, shim.error());
    note_control(state);
    if (first_found(*shim) != *shim)
        stop(rip, {"pages of the shim's code and constants that are others than before",
                   shim->constants.start().value});
}

/// The vCPU is about to load CR3 with `root`.
void on_load(unsigned vcpu, std::uint64_t rip, std::uint64_t root) {
    const PagingState state = read_paging_state();
    const auto pages = walk(rip, root, state.cr4);
    if (is_in(root, layout::reset_vector)) {
        if (const auto broken = check_reset_tables(pages, vcpu != 0))
            stop(rip, *broken);
        return;
    }
    if (!is_in(root, layout::shim_data))
        stop(rip, {"page tables outside of the shim's data", root});
    check_own_tables(rip, state, pages);
    hands_over = !writable_and_executable(pages).empty();
    if (hands_over)
        return;
    if (const auto broken = check_null_page(pages))
        stop(rip, *broken);
}

/// A MOV to CR3.
struct Load {
    std::uint64_t address;
    unsigned source;
};

void on_cr3(unsigned vcpu, void* data) {
    const auto& load = *static_cast<const Load*>(data);
    if (emulation->runs_payload)
        return;
    const std::uint64_t root = read_registers()[load.source];
    on_load(vcpu, load.address, root);
    note_page_tables(vcpu, root);
}

void on_call(unsigned, void* data) {
    if (emulation->runs_payload || !hands_over)
        return;
    const auto rip = reinterpret_cast<std::uint64_t>(data);
    stop(rip, {"TDCALL while a page is both writable and executable", rip});
}

/// The register that the instruction moves to CR3.
std::optional<unsigned> source_of_cr3(std::span<const std::uint8_t> bytes) {
    unsigned extension = 0;
    for (; !bytes.empty() && (bytes[0] & 0xF0) == 0x40; bytes = bytes.subspan(1))
        extension = bytes[0] & 1;
    if (bytes.size() != 3 || bytes[0] != 0x0F || bytes[1] != 0x22 || (bytes[2] >> 3 & 7) != 3)
        return std::nullopt;
    return (bytes[2] & 7U) | extension << 3;
}

std::string text_of(const GpaRange& range, const char* rights) {
    return std::format("{:#x}-{:#x} {}", range.start().value, range.end().value, rights);
}

} // namespace

void watch_page_tables(qemu_plugin_insn* instruction, std::span<const std::uint8_t> bytes) {
    constexpr auto tdcall = std::to_array<std::uint8_t>({0x66, 0x0F, 0x01, 0xCC});
    if (!emulation->settings.is_tdshim)
        return;
    const std::uint64_t address = qemu_plugin_insn_vaddr(instruction);
    if (std::ranges::equal(bytes, tdcall))
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_call, QEMU_PLUGIN_CB_R_REGS,
                                               reinterpret_cast<void*>(address));
    // Kept for as long as QEMU may call: translations are never told to be gone.
    if (const auto source = source_of_cr3(bytes))
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_cr3, QEMU_PLUGIN_CB_R_REGS,
                                               new Load{address, *source});
}

void check_pages_of_payload(std::uint64_t entry) {
    if (!emulation->settings.is_tdshim)
        return;
    const PagingState state = read_paging_state();
    const auto pages = walk(entry, state.cr3, state.cr4);
    check_own_tables(entry, state, pages);
    {
        const std::lock_guard lock(found.mutex);
        found.both = writable_and_executable(pages);
    }
    if (const auto broken = check_hand_over(pages, entry))
        stop(entry, *broken);
}

nlohmann::ordered_json found_protections() {
    const std::lock_guard lock(found.mutex);
    if (!found.shim)
        return nullptr;
    auto both = nlohmann::ordered_json::array();
    for (const Translation& piece : found.both)
        both.push_back({piece.linear, piece.end()});
    return {{"walks", found.walks},
            {"code", text_of(found.shim->code, "r-x")},
            {"constants", text_of(found.shim->constants, "r--")},
            {"data", text_of(layout::shim_data, "rw-")},
            {"absent_guard_pages", guard_pages().size()},
            {"control", found.control},
            {"writable_and_executable_at_hand_over", both}};
}

} // namespace tdshim::td_emu
