// SPDX-License-Identifier: Apache-2.0
//
// What an event says about itself, short enough for a line.
#pragma once

#include <string>

#include "shim/formats/event_log/reader.hpp"

namespace tdshim::tools {

struct Summary {
    std::string description; ///< the name that the event's data gives itself, or empty
    std::string data;        ///< the rest of the data: range, text, or its first bytes
};

[[nodiscard]] Summary summarise(const event_log::Event& event);

} // namespace tdshim::tools
