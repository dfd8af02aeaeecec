// SPDX-License-Identifier: Apache-2.0
//
// What --fault asks for: one of the faults with a name, or those of a file.
#pragma once

#include <string>
#include <vector>

#include "tools/common/failure.hpp"
#include "tools/td-emu/faults.hpp"
#include "tools/tdx-model/fault.hpp"

namespace tdshim::td_emu {

struct ChosenFault {
    tdx_model::Fault named{};
    std::string text; ///< of the file, for the plugin; empty: none
    Faults faults;    ///< the same, read
};

/// "map-gpa-refused, map-gpa-stuck, ..."
[[nodiscard]] std::string fault_names();

/// `chosen` is a name, a file, or empty. A failure says what was expected where.
[[nodiscard]] tools::Outcome<ChosenFault> choose_fault(const std::string& chosen);

/// Changes the list `hob` as `fault`, from `file`, says; it stands in `room` bytes.
[[nodiscard]] tools::Outcome<> spoil_hob(std::vector<std::byte>& hob, const ChosenFault& fault,
                                         const std::string& file, std::uint64_t room);

} // namespace tdshim::td_emu
