// SPDX-License-Identifier: Apache-2.0
#include "payload/runtime/event_log.hpp"

#include "shim/formats/event_log/reader.hpp"

namespace tdshim::runtime {
namespace {

constexpr std::size_t head_size = sizeof(event_log::EventHeader) + sizeof(event_log::TaggedEvent);

} // namespace

Result<std::size_t> find_room(Bytes log, std::size_t data) {
    auto reader = TRY(event_log::LogReader::open(log));
    while (TRY(reader.next())) {
    }
    const std::size_t left = log.size() - reader.offset();
    if (left < head_size || left - head_size < data)
        return refuse(Fault::log_full, reader.offset(), left, data);
    return reader.offset();
}

std::size_t size_of_event(std::size_t data) {
    return head_size + data;
}

crypto::Digest digest_of_event(Bytes data) {
    return crypto::sha384(bytes_of(event_log::tag_of(data.size())), data);
}

Result<void> write_event(MutableBytes room, std::uint32_t rtmr, const crypto::Digest& digest,
                         Bytes data) {
    const event_log::TaggedEvent tag = event_log::tag_of(data.size());
    const event_log::EventHeader header{
        .mr_index = event_log::mr_index_of_rtmr(rtmr),
        .type = static_cast<std::uint32_t>(event_log::EventType::event_tag),
        .digest_count = 1,
        .algorithm = event_log::algorithm_sha384,
        .digest = digest,
        .size = static_cast<std::uint32_t>(sizeof(tag) + data.size())};
    Writer writer(room);
    if (!writer.put(header) || !writer.put(tag) || !writer.put(data))
        return refuse(Fault::log_full, writer.size(), writer.left(), data.size());
    return {};
}

} // namespace tdshim::runtime
