// SPDX-License-Identifier: Apache-2.0
//
// The order in which the firmware measures into RTMR[0] [specs/measurement.md, "Registers and
// events"]. Names of files are in no digest that can be made again from a log; where a file's event
// may stand is what a log without a policy can be held to.
#pragma once

#include <optional>

#include "tools/measurements/finding.hpp"
#include "tools/measurements/logged.hpp"

namespace tdshim::tools {

/// The first event of RTMR[0] that stands where the firmware has no such one; nothing in an honest
/// log of this firmware's.
[[nodiscard]] std::optional<Finding> find_misplaced_configuration(const DecodedLog& log);

} // namespace tdshim::tools
