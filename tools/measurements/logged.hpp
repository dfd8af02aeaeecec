// SPDX-License-Identifier: Apache-2.0
//
// An event log as far as it can be read, and the registers that it leads to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shim/formats/event_log/reader.hpp"
#include "shim/measure/register_bank.hpp"

namespace tdshim::tools {

struct DecodedLog {
    std::string vendor_info;    ///< as it came
    bool is_of_td_shim = false; ///< by td-shim or by this firmware, as the header says
    std::vector<event_log::Event> events;
    measure::RegisterBank registers; ///< after the events
    std::size_t used = 0;            ///< bytes of the log up to the end of the last event
    /// The same as the log's header says it; nothing in logs of another make.
    std::optional<std::uint32_t> announced;
    std::optional<Error> error; ///< why there is no more
};

/// Reads `log`, which the events refer to. Events for MRTD, which only the TDX module extends, and
/// EV_NO_ACTION are records without an extension. Errors: those of LogReader::open(); a later one
/// stands in the result, beside what was read before it.
[[nodiscard]] Result<DecodedLog> decode_log(Bytes log);

/// Whether any register shows `event`.
[[nodiscard]] bool extends_register(const event_log::Event& event);

/// Which events of `log` extended RTMR[`rtmr`], in their order.
[[nodiscard]] std::vector<std::size_t> extensions_of(const DecodedLog& log, std::uint32_t rtmr);

} // namespace tdshim::tools
