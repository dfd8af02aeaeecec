// SPDX-License-Identifier: Apache-2.0
//
// The VMM's memory map: what parse() accepts is the entries of the input, each once, sorted and
// disjoint. The input is tried as it is, and as entries of small numbers, which overlap less often.

#include <cstdlib>
#include <vector>

#include "shim/formats/e820/e820.hpp"

using namespace tdshim;

namespace {

struct SmallEntry {
    le16 address;
    std::uint8_t size;
    std::uint8_t type;
};

void require(bool condition) {
    if (!condition)
        std::abort();
}

/// Whether `entry` stands in the wire form.
bool is_in(const e820::Entry& entry, Bytes bytes) {
    Reader reader(bytes);
    while (const auto wire = reader.take<e820::WireEntry>())
        if (wire->address == entry.range.start().value && wire->size == entry.range.size() &&
            wire->type == static_cast<std::uint32_t>(entry.type))
            return true;
    return false;
}

void check(Bytes bytes) {
    const auto table = e820::parse(bytes);
    if (!table)
        return;
    require(table->size() * sizeof(e820::WireEntry) == bytes.size());
    Gpa end{};
    for (const e820::Entry& entry : *table) {
        require(!entry.range.empty() && entry.range.start() >= end);
        require(entry.range.end() > entry.range.start() && is_in(entry, bytes));
        end = entry.range.end();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input = std::as_bytes(std::span(data, size));
    check(input);

    std::vector<std::byte> map;
    Reader reader(input);
    while (const auto small = reader.take<SmallEntry>()) {
        const std::uint64_t address = small->address;
        const e820::WireEntry wire{address, small->size, small->type};
        map.append_range(bytes_of(wire));
    }
    check(map);
    return 0;
}
