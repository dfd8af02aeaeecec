// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/logged.hpp"

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

Result<void> replay(const event_log::Event& event, measure::RegisterBank& registers) {
    if (event.mr_index == 0 || event.type == event_log::EventType::no_action)
        return {};
    return registers.extend(event.mr_index - 1, event.digest);
}

} // namespace

Result<DecodedLog> decode_log(Bytes log) {
    auto reader = TRY(event_log::LogReader::open(log));
    DecodedLog decoded;
    const Bytes vendor = reader.vendor_info();
    decoded.vendor_info = printable({reinterpret_cast<const char*>(vendor.data()), vendor.size()});
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
