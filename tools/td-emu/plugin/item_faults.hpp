// SPDX-License-Identifier: Apache-2.0
//
// fw_cfg as a hostile VMM has it: watches which item the firmware selects and reads, by port or by
// DMA, and changes what arrives [QEMU docs/specs/fw_cfg.rst].
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <vector>

#include "tools/td-emu/faults.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::td_emu {

class ItemFaults {
  public:
    ItemFaults(std::vector<ItemFault> faults, tdx_model::GuestMemory& memory)
        : faults_(std::move(faults)), memory_(memory) {}

    /// To be called after QEMU's device was written to or read from; `value` is what was read, and
    /// returned is what the TD gets.
    void before_write(std::uint16_t port, unsigned size, std::uint32_t value);
    void after_write();
    [[nodiscard]] std::uint32_t after_read(std::uint16_t port, std::uint32_t value);

  private:
    void select(std::uint16_t key);
    void arrive(MutableBytes bytes);
    [[nodiscard]] bool is_selected(const ItemFault& fault) const;

    std::vector<ItemFault> faults_;
    tdx_model::GuestMemory& memory_;
    std::mutex mutex_;
    std::uint16_t key_ = 0;
    std::uint64_t offset_ = 0; ///< in the item
    std::map<std::uint16_t, std::uint64_t> selections_;
    std::vector<std::byte> directory_;
    std::uint32_t dma_high_ = 0;
    std::uint64_t dma_address_ = 0; ///< of bytes that are about to arrive
    std::size_t dma_length_ = 0;
};

} // namespace tdshim::td_emu
