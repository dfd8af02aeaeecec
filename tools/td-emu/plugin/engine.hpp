// SPDX-License-Identifier: Apache-2.0
//
// A vCPU of QEMU's as the model wants it: its registers by number, and guest memory by address.
#pragma once

#include <array>
#include <cstdint>

#include "tools/td-emu/plugin/qemu_api.hpp"
#include "tools/tdx-model/registers.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::td_emu {

/// The general registers of the vCPU whose thread this is.
[[nodiscard]] tdx_model::Registers read_registers();
/// Writes those that differ from `before`.
void write_registers(const tdx_model::Registers& registers, const tdx_model::Registers& before);
[[nodiscard]] std::uint64_t read_efer();
/// By EFER.LMA.
[[nodiscard]] bool is_long_mode();
/// Where a block begins; within it QEMU does not keep it.
[[nodiscard]] std::uint64_t read_instruction_pointer();
[[nodiscard]] std::uint64_t read_stack_pointer();
/// The page tables that CR3 leads to, for as long as they stand in `range`: how many pages they
/// are.
[[nodiscard]] std::size_t count_page_tables(const GpaRange& range);

/// Leaves long mode for the 32-bit flat mode in which a TD's processors begin; from 64-bit code.
void enter_initial_mode();

/// What page tables depend on.
struct PagingState {
    std::uint64_t cr0 = 0;
    std::uint64_t cr3 = 0;
    std::uint64_t cr4 = 0;
    std::uint64_t efer = 0;
};
[[nodiscard]] PagingState read_paging_state();

/// What an exception saves and changes, beside the stack pointer. QEMU keeps the arithmetic flags
/// elsewhere while a block runs: they are not in `rflags`.
struct ControlState {
    std::uint64_t rflags = 0;
    std::uint64_t cs = 0;
    std::uint64_t ss = 0;
};
[[nodiscard]] ControlState read_control_state();
void write_rflags(std::uint64_t rflags);

/// What a processor reads to translate a linear address: the tables from the root on, none while
/// paging is off, and the entry that ends the walk, else 0; to be asked for an address that was
/// accessed [Intel SDM 3A, 4.5.4].
struct LeafWalk {
    std::uint64_t leaf = 0;
    std::array<Gpa, 5> tables{};
    std::size_t depth = 0; ///< of `tables`
};
[[nodiscard]] LeafWalk walk_to_leaf(std::uint64_t address);
[[nodiscard]] std::uint64_t read_leaf(std::uint64_t address);

/// By linear address. False where nothing is mapped.
[[nodiscard]] bool read_linear(std::uint64_t address, MutableBytes destination);
[[nodiscard]] bool write_linear(std::uint64_t address, Bytes content);

class EngineMemory : public tdx_model::GuestMemory {
  public:
    [[nodiscard]] bool read(Gpa address, MutableBytes destination) override;
    [[nodiscard]] bool write(Gpa address, Bytes bytes) override;
};

} // namespace tdshim::td_emu
