// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/engine.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string_view>
#include <vector>

namespace tdshim::td_emu {
namespace {

constexpr std::array<std::string_view, tdx_model::register_count> register_names{
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

constexpr std::uint64_t large = 1 << 7;
constexpr std::uint64_t table_mask = 0x000F'FFFF'FFFF'F000;

/// QEMU's handles, which are the same for all vCPUs.
struct Handles {
    std::array<qemu_plugin_register*, tdx_model::register_count> general{};
    qemu_plugin_register* efer = nullptr;
    qemu_plugin_register* rip = nullptr;
    qemu_plugin_register* rflags = nullptr;
    qemu_plugin_register* cs = nullptr;
    qemu_plugin_register* ss = nullptr;
    qemu_plugin_register* cr0 = nullptr;
    qemu_plugin_register* cr3 = nullptr;
    qemu_plugin_register* cr4 = nullptr;

    Handles() {
        GArray* const list = qemu_plugin_get_registers();
        const unsigned size = g_array_get_element_size(list);
        for (unsigned i = 0; i < list->len; ++i) {
            qemu_plugin_reg_descriptor descriptor{};
            std::memcpy(&descriptor, list->data + std::size_t{i} * size, sizeof(descriptor));
            const std::string_view name = descriptor.name == nullptr ? "" : descriptor.name;
            for (auto [wanted, handle] :
                 {std::pair{"efer", &efer}, std::pair{"rip", &rip}, std::pair{"eflags", &rflags},
                  std::pair{"cs", &cs}, std::pair{"ss", &ss}, std::pair{"cr0", &cr0},
                  std::pair{"cr3", &cr3}, std::pair{"cr4", &cr4}})
                if (name == wanted)
                    *handle = descriptor.handle;
            for (std::size_t k = 0; k < register_names.size(); ++k)
                if (name == register_names[k] && general[k] == nullptr)
                    general[k] = descriptor.handle;
        }
        for (const qemu_plugin_register* handle : general)
            if (handle == nullptr || efer == nullptr || rip == nullptr || rflags == nullptr ||
                cs == nullptr || ss == nullptr || cr0 == nullptr || cr3 == nullptr ||
                cr4 == nullptr) {
                std::fputs("td-emu: this QEMU does not name all registers\n", stderr);
                std::_Exit(2);
            }
    }
};

const Handles& handles() {
    static const Handles all;
    return all;
}

/// A buffer of this thread's, for QEMU reads into GLib's arrays only.
GByteArray* buffer() {
    thread_local GByteArray* const array = g_byte_array_new();
    return array;
}

std::uint64_t read(qemu_plugin_register* handle) {
    GByteArray* const bytes = g_byte_array_set_size(buffer(), 0);
    qemu_plugin_read_register(handle, bytes);
    std::uint64_t value = 0;
    std::memcpy(&value, bytes->data, std::min<std::size_t>(bytes->len, sizeof(value)));
    return value;
}

void write(qemu_plugin_register* handle, std::uint64_t value) {
    GByteArray* const bytes = g_byte_array_set_size(buffer(), sizeof(value));
    std::memcpy(bytes->data, &value, sizeof(value));
    qemu_plugin_write_register(handle, bytes);
}

} // namespace

void enter_initial_mode() {
    constexpr std::uint64_t cr0_of_td = 0x31; // PE, ET, NE
    constexpr std::uint64_t cr4_of_td = 0x40; // MCE
    write(handles().cr0, cr0_of_td);          // with paging long mode ends as well
    write(handles().cr4, cr4_of_td);
}

tdx_model::Registers read_registers() {
    tdx_model::Registers registers{};
    for (std::size_t i = 0; i < registers.size(); ++i)
        registers[i] = read(handles().general[i]);
    return registers;
}

void write_registers(const tdx_model::Registers& registers, const tdx_model::Registers& before) {
    for (std::size_t i = 0; i < registers.size(); ++i)
        if (registers[i] != before[i])
            write(handles().general[i], registers[i]);
}

std::uint64_t read_efer() {
    return read(handles().efer);
}

bool is_long_mode() {
    constexpr std::uint64_t efer_long_mode_active = 1 << 10;
    return (read_efer() & efer_long_mode_active) != 0;
}

std::uint64_t read_instruction_pointer() {
    return read(handles().rip);
}

std::uint64_t read_stack_pointer() {
    return read(handles().general[tdx_model::rsp]);
}

PagingState read_paging_state() {
    return {read(handles().cr0), read(handles().cr3), read(handles().cr4), read_efer()};
}

ControlState read_control_state() {
    return {read(handles().rflags), read(handles().cs), read(handles().ss)};
}

std::size_t count_page_tables(const GpaRange& range) {
    std::set<std::uint64_t> found;
    std::vector<std::pair<std::uint64_t, int>> left{{read(handles().cr3) & table_mask, 4}};
    EngineMemory memory;
    while (!left.empty()) {
        const auto [table, level] = left.back();
        left.pop_back();
        if (table < range.start().value || table >= range.end().value ||
            !found.insert(table).second)
            continue;
        std::array<le64, 512> entries;
        if (level == 1 || !memory.read({table}, std::as_writable_bytes(std::span(entries))))
            continue;
        for (const std::uint64_t entry : entries)
            if ((entry & 1) != 0 && (entry & large) == 0)
                left.emplace_back(entry & table_mask, level - 1);
    }
    return found.size();
}

LeafWalk walk_to_leaf(std::uint64_t address) {
    constexpr std::uint64_t paging = std::uint64_t{1} << 31;
    constexpr std::uint64_t five_levels = 1 << 12;
    if ((read(handles().cr0) & paging) == 0)
        return {};
    LeafWalk walk{.leaf = read(handles().cr3)};
    EngineMemory memory;
    const bool has_five_levels = (read(handles().cr4) & five_levels) != 0;
    for (int shift = has_five_levels ? 48 : 39; shift >= 12; shift -= 9) {
        const Gpa table{walk.leaf & table_mask};
        le64 next;
        if (!memory.read({table.value + 8 * (address >> shift & 511)},
                         std::as_writable_bytes(std::span(&next, 1))))
            return {};
        walk.tables[walk.depth++] = table;
        walk.leaf = next;
        if ((walk.leaf & large) != 0)
            break;
    }
    return walk;
}

std::uint64_t read_leaf(std::uint64_t address) {
    return walk_to_leaf(address).leaf;
}

void write_rflags(std::uint64_t rflags) {
    GByteArray* const bytes = g_byte_array_set_size(buffer(), sizeof(std::uint32_t));
    std::memcpy(bytes->data, &rflags, sizeof(std::uint32_t));
    qemu_plugin_write_register(handles().rflags, bytes);
}

bool read_linear(std::uint64_t address, MutableBytes destination) {
    GByteArray* const bytes = g_byte_array_set_size(buffer(), 0);
    if (!qemu_plugin_read_memory_vaddr(address, bytes, destination.size()) ||
        bytes->len < destination.size())
        return false;
    std::memcpy(destination.data(), bytes->data, destination.size());
    return true;
}

bool write_linear(std::uint64_t address, Bytes content) {
    GByteArray* const bytes =
        g_byte_array_set_size(buffer(), static_cast<unsigned>(content.size()));
    std::memcpy(bytes->data, content.data(), content.size());
    return qemu_plugin_write_memory_vaddr(address, bytes);
}

bool EngineMemory::read(Gpa address, MutableBytes destination) {
    GByteArray* const bytes = g_byte_array_set_size(buffer(), 0);
    if (qemu_plugin_read_memory_hwaddr(address.value, bytes, destination.size()) != 0 ||
        bytes->len < destination.size())
        return false;
    std::memcpy(destination.data(), bytes->data, destination.size());
    return true;
}

bool EngineMemory::write(Gpa address, Bytes content) {
    GByteArray* const bytes =
        g_byte_array_set_size(buffer(), static_cast<unsigned>(content.size()));
    std::memcpy(bytes->data, content.data(), content.size());
    return qemu_plugin_write_memory_hwaddr(address.value, bytes) == 0;
}

} // namespace tdshim::td_emu
