// SPDX-License-Identifier: Apache-2.0
//
// A payload's own measurements: RTMR[2] and RTMR[3], with an event log that lets a verifier replay
// them (`shim-log check`).
#pragma once

#include <cstdint>

#include "payload/runtime/hob_list.hpp"
#include "shim/base/bytes.hpp"

namespace tdshim::runtime {

/// Extends RTMR[`rtmr`], 2 or 3, by digest_of_event(`data`) (event_log.hpp) and appends an event
/// EV_EVENT_TAG of `data` to the log. What the VMM gives is copied first, measured, and then used.
/// Nothing is measured that the log has no room for. A plain VM has no such registers: an error.
/// Errors: events_register for another register than those two; log_header where there is no log;
/// log_full; tdcall_failed; truncated; those of event_log::LogReader.
[[nodiscard]] Result<void> measure(const HobList& machine, std::uint32_t rtmr, Bytes data);

} // namespace tdshim::runtime
