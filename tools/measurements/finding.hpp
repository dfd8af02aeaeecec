// SPDX-License-Identifier: Apache-2.0
//
// What does not fit together in a log, or between a log and what it is compared with: one line that
// names the register, the event and the input behind it.
#pragma once

#include <cstdint>
#include <string>

#include "shim/formats/event_log/reader.hpp"

namespace tdshim::tools {

struct Finding {
    std::string register_key; ///< "mrtd", "rtmr0", "attributes", ...
    std::string description;  ///< of the event; empty where a register as a whole differs
    std::string origin;       ///< which input that is, in words; empty when the policy does not say
    std::string text;
    std::size_t offset = 0; ///< of the event in the log; the log's end for one that is missing
};

/// "rtmr1" and "RTMR[1]".
[[nodiscard]] std::string key_of_rtmr(std::uint32_t rtmr);
[[nodiscard]] std::string name_of_rtmr(std::uint32_t rtmr);

/// "td_payload", or the type's name for an event without a description.
[[nodiscard]] std::string label(const std::string& description, std::uint32_t type);
[[nodiscard]] std::string label(const event_log::Event& event);

/// "RTMR[1] event 2 at offset 0x4d", of the register's events.
[[nodiscard]] std::string place_of(const event_log::Event& event, std::size_t index);

} // namespace tdshim::tools
