// SPDX-License-Identifier: Apache-2.0
//
// A TD one kind of whose calls ends otherwise than an honest VMM would have it. What the fault does
// not concern goes to the TD.
#pragma once

#include <map>
#include <mutex>

#include "tools/tdx-model/fault.hpp"
#include "tools/tdx-model/td.hpp"

namespace tdshim::tdx_model {

class HostileTd {
  public:
    HostileTd(Td& td, Fault fault) : td_(td), fault_(fault) {}

    /// Executes TDCALL on `vcpu`.
    [[nodiscard]] Outcome tdcall(unsigned vcpu, Registers& registers);

  private:
    /// The VMM's side of a TDVMCALL.
    [[nodiscard]] Outcome answer(unsigned vcpu, Registers& shown);
    [[nodiscard]] Outcome map_a_page(unsigned vcpu, Registers& shown);

    /// True when the call is answered.
    [[nodiscard]] bool spoil_acceptance(Registers& registers);
    [[nodiscard]] bool spoil_map_gpa(Registers& shown) const;
    [[nodiscard]] bool spoil_port(Registers& shown);
    struct MeasurementFaults {
        Fault fails;
        Fault is_busy_first;
        Fault has_hint; ///< the same, with HOST_RECOVERABILITY_HINT
    };
    [[nodiscard]] bool spoil_measurement(Registers& registers, const MeasurementFaults& faults);
    [[nodiscard]] bool spoil(Registers& registers);
    [[nodiscard]] bool is_busy(std::uint64_t operand);

    Td& td_;
    Fault fault_;
    std::mutex mutex_;
    std::map<std::uint64_t, int> attempts_; ///< by operand, of calls that are busy at first
    std::uint32_t garbage_ = 0x9E37'79B9;
};

} // namespace tdshim::tdx_model
