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
    std::string vendor_info; ///< printable
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

} // namespace tdshim::tools
