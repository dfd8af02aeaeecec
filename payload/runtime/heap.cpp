// SPDX-License-Identifier: Apache-2.0
#include "payload/runtime/heap.hpp"

#include <algorithm>

namespace tdshim::runtime {
namespace {

Result<void> push(Pieces& pieces, Gpa start, Gpa end) {
    const auto first = align_up(start.value, page_size);
    const GpaRange piece =
        GpaRange::between({first.value_or(end.value)}, {align_down(end.value, page_size)});
    if (!piece.empty() && !pieces.push(piece))
        return refuse(Fault::too_many_entries, start.value, max_pieces, max_pieces + 1);
    return {};
}

} // namespace

Result<GpaRange> Heap::allocate(std::uint64_t size, std::uint64_t alignment) {
    const auto start = align_up(next_.value, alignment);
    if (!start || *start > memory_.end().value || size > memory_.end().value - *start)
        return refuse(Fault::memory_exhausted, next_.value, size, left());
    next_ = {*start + size};
    return GpaRange::between({*start}, next_);
}

Result<Pieces> without(const GpaRange& range, std::span<const GpaRange> kept) {
    Pieces pieces;
    Gpa start = range.start();
    while (start < range.end()) {
        // Up to the next kept range, and on behind it.
        GpaRange next = GpaRange::between(range.end(), range.end());
        for (const GpaRange& one : kept)
            if (!one.empty() && one.end() > start && one.start() < next.start())
                next = one;
        TRY(push(pieces, start, std::min(next.start(), range.end())));
        start = std::max(next.end(), start);
    }
    return pieces;
}

Result<GpaRange> largest_free(const e820::Table& memory, const GpaRange& window,
                              std::span<const GpaRange> kept) {
    GpaRange largest;
    for (const e820::Entry& entry : memory) {
        if (entry.type != e820::Type::memory)
            continue;
        const GpaRange inside = GpaRange::between(std::max(entry.range.start(), window.start()),
                                                  std::min(entry.range.end(), window.end()));
        for (const GpaRange& piece : TRY(without(inside, kept)))
            if (piece.size() > largest.size())
                largest = piece;
    }
    return largest;
}

} // namespace tdshim::runtime
