// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/logged.hpp"

#include <algorithm>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

Result<void> replay(const event_log::Event& event, measure::RegisterBank& registers) {
    if (!extends_register(event))
        return {};
    return registers.extend(event.mr_index - 1, event.digest);
}

/// The NUL is ours: td-shim's specification does not ask for one.
bool has_name_of_td_shim(Bytes vendor) {
    const std::string_view name = event_log::vendor_name.data();
    return vendor.size() >= name.size() &&
           std::ranges::equal(vendor.first(name.size()), bytes_of(name));
}

} // namespace

bool extends_register(const event_log::Event& event) {
    return event.mr_index != 0 && event.type != event_log::EventType::no_action;
}

std::vector<std::size_t> extensions_of(const DecodedLog& log, std::uint32_t rtmr) {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < log.events.size(); ++i)
        if (extends_register(log.events[i]) &&
            log.events[i].mr_index == event_log::mr_index_of_rtmr(rtmr))
            indices.push_back(i);
    return indices;
}

Result<DecodedLog> decode_log(Bytes log) {
    auto reader = TRY(event_log::LogReader::open(log));
    DecodedLog decoded;
    const Bytes vendor = reader.vendor_info();
    decoded.vendor_info.assign(reinterpret_cast<const char*>(vendor.data()), vendor.size());
    decoded.is_of_td_shim = has_name_of_td_shim(vendor);
    decoded.announced = reader.announced();
    if (decoded.announced)
        decoded.vendor_info = event_log::vendor_name.data();
    decoded.used = reader.offset();
    while (true) {
        const auto event = reader.next();
        if (!event) {
            decoded.error = event.error();
            return decoded;
        }
        if (!*event)
            return decoded;
        TRY(replay(**event, decoded.registers));
        decoded.events.push_back(**event);
        decoded.used = reader.offset();
    }
}

} // namespace tdshim::tools
