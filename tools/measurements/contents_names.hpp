// SPDX-License-Identifier: Apache-2.0
//
// td_contents, the event of RTMR[1] that names the others, held against the events that a log has
// there [specs/measurement.md, "RTMR[1]"]. Their own digests are those of files and say nothing of
// what a file was used for.
#pragma once

#include <array>
#include <vector>

#include "tools/measurements/coverage.hpp"

namespace tdshim::tools {

struct NamedEvents {
    std::vector<std::size_t> events; ///< of the log, whose type and name td_contents says
    /// Events of the firmware's in RTMR[2] and RTMR[3], by td_contents; zero without one.
    std::array<std::size_t, measure::rtmr_count> counts{};
    std::vector<Finding> findings; ///< where it says something else than the log; one at most
};

/// `events` has what the digests of the log's events cover.
[[nodiscard]] NamedEvents named_by_contents(const DecodedLog& log,
                                            const std::vector<EventCoverage>& events);

} // namespace tdshim::tools
