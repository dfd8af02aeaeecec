// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as an event log: reading ends, never leaves the log, and the events that were read give
// the same bytes when they are written again.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "shim/formats/event_log/reader.hpp"
#include "shim/formats/event_log/writer.hpp"

using namespace tdshim;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

bool is_inside(Bytes part, Bytes whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

/// Appends `event`, which stood at `at` of `log`, and compares its bytes.
void check_written_again(const event_log::Event& event, Bytes log, std::size_t end) {
    std::vector<std::byte> area(128 + end - event.offset);
    event_log::LogWriter writer(area);
    const std::size_t at = writer.used();
    require(writer.append(event.mr_index, event.type, event.digest, {}, event.data).has_value());
    const Bytes written = Bytes(area).subspan(at, writer.used() - at);
    require(std::ranges::equal(written, log.subspan(event.offset, end - event.offset)));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes log = std::as_bytes(std::span(data, size));
    auto reader = event_log::LogReader::open(log);
    if (!reader)
        return 0;
    require(is_inside(reader->vendor_info(), log));
    std::size_t offset = reader->offset();
    while (const auto event = reader->next()) {
        if (!*event)
            break;
        require((*event)->offset == offset && (*event)->mr_index <= event_log::max_mr_index);
        require(is_inside((*event)->data, log) && reader->offset() <= log.size());
        offset = reader->offset();
        check_written_again(**event, log, offset);
        if (const auto description = event_log::describe(**event))
            require(is_inside(bytes_of(description->name), log) &&
                    is_inside(description->info, log));
    }
    return 0;
}
