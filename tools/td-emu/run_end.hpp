// SPDX-License-Identifier: Apache-2.0
//
// How a run came to its end. A TD has two ends of its own, power-off and ReportFatalError, and
// td-emu ends it by a finding or where it was asked to; whatever else ends QEMU is told, and is a
// finding where a TD did it: no run is good about whose end nothing is known.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tdshim::td_emu {

/// Why QEMU's machine stopped, of QEMU's messages, one JSON object a line; empty where none says it
/// [QEMU QMP reference, SHUTDOWN].
[[nodiscard]] std::string shutdown_reason(std::string_view messages);

/// Turns what the plugin left of the end, "stopped" and "last_blocks", and QEMU's reason into
/// "end", and into "finding" where a TD does not end so.
void judge_end(nlohmann::ordered_json& result, std::string_view reason);

} // namespace tdshim::td_emu
