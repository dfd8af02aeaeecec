// SPDX-License-Identifier: Apache-2.0
#include "payload/runtime/event_log.hpp"

#include "shim/formats/event_log/reader.hpp"

namespace tdshim::runtime {

Result<std::size_t> find_room(Bytes log, std::size_t data) {
    auto reader = TRY(event_log::LogReader::open(log));
    while (TRY(reader.next())) {
    }
    const std::size_t left = log.size() - reader.offset();
    if (left < sizeof(event_log::EventHeader) || left - sizeof(event_log::EventHeader) < data)
        return refuse(Fault::log_full, reader.offset(), left, data);
    return reader.offset();
}

Result<void> write_event(MutableBytes room, std::uint32_t rtmr, const crypto::Digest& digest,
                         Bytes data) {
    const event_log::EventHeader header{.mr_index = event_log::mr_index_of_rtmr(rtmr),
                                        .type =
                                            static_cast<std::uint32_t>(event_log::EventType::ipl),
                                        .digest_count = 1,
                                        .algorithm = event_log::algorithm_sha384,
                                        .digest = digest,
                                        .size = static_cast<std::uint32_t>(data.size())};
    Writer writer(room);
    if (!writer.put(header) || !writer.put(data))
        return refuse(Fault::log_full, writer.size(), writer.left(), data.size());
    return {};
}

} // namespace tdshim::runtime
