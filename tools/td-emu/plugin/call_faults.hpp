// SPDX-License-Identifier: Apache-2.0
//
// Calls that a fault file answers in the model's place.
#pragma once

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "tools/td-emu/faults.hpp"

namespace tdshim::td_emu {

class CallFaults {
  public:
    explicit CallFaults(std::vector<CallFault> faults) : faults_(std::move(faults)) {}

    /// True when the call in `registers` is one of them, and answered. Counts it in any case.
    [[nodiscard]] bool answer(tdx_model::Registers& registers);

  private:
    [[nodiscard]] const CallFault* take_turn(bool is_vmcall, std::uint64_t call);

    std::vector<CallFault> faults_;
    std::mutex mutex_;
    std::map<std::pair<bool, std::uint64_t>, std::uint64_t> calls_; ///< so far, by kind and number
};

} // namespace tdshim::td_emu
