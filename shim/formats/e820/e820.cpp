// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/e820/e820.hpp"

#include <algorithm>

namespace tdshim::e820 {
namespace {

Result<Entry> parse_entry(const WireEntry& wire, std::uint64_t at) {
    if (wire.size == 0)
        return refuse(Fault::e820_entry_empty, at);
    return Entry{TRY(GpaRange::make({wire.address}, wire.size)),
                 static_cast<Type>(static_cast<std::uint32_t>(wire.type))};
}

} // namespace

Result<Table> parse(Bytes bytes) {
    if (bytes.size() % sizeof(WireEntry) != 0)
        return refuse(Fault::e820_size, bytes.size(), sizeof(WireEntry),
                      bytes.size() % sizeof(WireEntry));
    Table table;
    Reader reader(bytes);
    while (reader.left() != 0) {
        const std::uint64_t at = reader.offset();
        const auto wire = TRY(reader.take<WireEntry>());
        const Entry entry = TRY(parse_entry(wire, at));
        if (!table.push(entry))
            return refuse(Fault::too_many_entries, at, max_entries,
                          bytes.size() / sizeof(WireEntry));
    }
    table.sort_by([](const Entry& entry) { return entry.range.start(); });
    for (std::size_t i = 1; i < table.size(); ++i)
        if (table[i].range.overlaps(table[i - 1].range))
            return refuse(Fault::e820_overlap, table[i].range.start().value,
                          table[i - 1].range.end().value, table[i].range.start().value);
    return table;
}

} // namespace tdshim::e820
