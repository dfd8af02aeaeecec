// SPDX-License-Identifier: Apache-2.0
#include "tests/native/logged.hpp"

#include <algorithm>

#include "shim/memory/layout.hpp"

namespace tdshim::native {

Result<std::vector<event_log::Event>> events_of(Machine& machine) {
    auto reader = TRY(event_log::LogReader::open(
        machine.memory(layout::event_log.start(), layout::event_log.size())));
    std::vector<event_log::Event> events;
    while (const auto event = TRY(reader.next()))
        events.push_back(*event);
    return events;
}

bool log_leads_to_registers(Machine& machine) {
    const auto events = events_of(machine);
    if (!events)
        return false;
    measure::RegisterBank replayed;
    for (const event_log::Event& event : *events)
        if (!replayed.extend(event.mr_index - 1, event.digest))
            return false;
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (replayed.value(rtmr) != machine.registers().value(rtmr))
            return false;
    return true;
}

Blob named_file(std::string_view name, Bytes file) {
    Blob hashed{static_cast<std::byte>(name.size() + 1)};
    hashed.append_range(bytes_of(name));
    hashed.push_back(std::byte{0});
    hashed.append_range(file);
    return hashed;
}

Blob named_config(std::string_view descriptor, Bytes info) {
    event_log::ConfigInfo header{.descriptor = {},
                                 .length = static_cast<std::uint32_t>(info.size())};
    std::ranges::copy(descriptor, header.descriptor.begin());
    Blob hashed;
    hashed.append_range(bytes_of(header));
    hashed.append_range(info);
    return hashed;
}

std::size_t count_separators(const std::vector<event_log::Event>& events) {
    return static_cast<std::size_t>(
        std::ranges::count(events, event_log::EventType::separator, &event_log::Event::type));
}

} // namespace tdshim::native
