// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/finding.hpp"

#include <format>

#include "tools/common/text.hpp"
#include "tools/measurements/event_names.hpp"
#include "tools/measurements/summary.hpp"

namespace tdshim::tools {

std::string key_of_rtmr(std::uint32_t rtmr) {
    return register_key(event_log::mr_index_of_rtmr(rtmr));
}

std::string name_of_rtmr(std::uint32_t rtmr) {
    return register_name(event_log::mr_index_of_rtmr(rtmr));
}

std::string label(const std::string& description, std::uint32_t type) {
    return description.empty() ? event_type_name(type) : description;
}

std::string label(const event_log::Event& event) {
    return label(summarise(event).description, static_cast<std::uint32_t>(event.type));
}

std::string place_of(const event_log::Event& event, std::size_t index) {
    return std::format("{} event {} at offset {}", register_name(event.mr_index), index,
                       hex(event.offset));
}

} // namespace tdshim::tools
