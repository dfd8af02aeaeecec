// SPDX-License-Identifier: Apache-2.0
//
// Which parts of an event log follow from the registers that it leads to. A register holds digests
// and no text: what a log says beside them is worth something only where a digest can be made again
// from it, or where td_contents, whose own digest covers it, names the event.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "tools/measurements/finding.hpp"
#include "tools/measurements/logged.hpp"

namespace tdshim::tools {

/// What of an event's data its digest covers.
enum class Covered {
    data,    ///< all of it
    content, ///< of a configuration event what stands behind name and length
    value,   ///< of a separator its number, and not the reason behind it
    nothing, ///< the digest is of something that is not in the log
    other,   ///< the digest is of other data: this is not what was measured
};

struct EventCoverage {
    Covered covered = Covered::nothing;
    bool is_named = false;    ///< td_contents says its type and name
    bool is_appended = false; ///< by the OS, behind the firmware's events
};

struct LogCoverage {
    std::vector<EventCoverage> events; ///< one for each of the log's
    /// By the OS, in RTMR[2] and RTMR[3].
    std::array<std::size_t, measure::rtmr_count> appended{};
    /// What no honest log has, in its order.
    std::vector<Finding> findings;
};

/// Makes again what digests there are. Of logs of another make than td-shim's and ours the forms
/// are not known well enough to call anything wrong: what their digests do not explain is covered
/// by nothing.
[[nodiscard]] LogCoverage coverage_of(const DecodedLog& log);

/// A part of a log that anyone can change without any register telling.
struct LogPart {
    std::string_view name; ///< "type", "name", "address", ...
    std::size_t offset = 0;
    std::size_t size = 0;
};
[[nodiscard]] std::vector<LogPart> parts_not_covered(const event_log::Event& event,
                                                     const EventCoverage& coverage);

/// "data", "content", "value" or "nothing".
[[nodiscard]] std::string_view word_of(Covered covered);

} // namespace tdshim::tools
