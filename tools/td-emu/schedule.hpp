// SPDX-License-Identifier: Apache-2.0
//
// What a hostile VMM does to a TD between its calls: it decides which vCPUs run, and may give it
// another page for any of its own. All of it is counted in TDCALLs, so that a run is the same
// again.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "tools/td-emu/faults.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::td_emu {

class Schedule {
  public:
    Schedule(const Faults& faults, std::uint32_t vcpus, tdx_model::Td& td)
        : pages_(faults.pages), stops_(faults.stops), td_(td), vcpus_(vcpus) {}

    /// The TD has its pages: those that are to go at the start go.
    void begin();

    /// `vcpu` is about to make a TDCALL. True: it is stopped, and comes here again with the same.
    [[nodiscard]] bool holds_call(unsigned vcpu);
    /// `vcpu` is about to execute the instruction at `address`. True: it is stopped, as above.
    [[nodiscard]] bool holds_at(unsigned vcpu, std::uint64_t address);
    /// Somebody may be stopped there.
    [[nodiscard]] bool watches(std::uint64_t address) const;

  private:
    struct Vcpu {
        std::uint64_t calls = 0; ///< that it made or is about to make
        bool is_held = false;    ///< at the last one of them
    };

    void count(Vcpu& vcpu, unsigned number);
    [[nodiscard]] bool is_over(const StopFault& stop) const;

    std::vector<PageFault> pages_;
    std::vector<StopFault> stops_;
    tdx_model::Td& td_;
    mutable std::mutex mutex_;
    std::vector<Vcpu> vcpus_;
    std::uint64_t calls_ = 0; ///< of all
};

} // namespace tdshim::td_emu
