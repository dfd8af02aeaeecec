// SPDX-License-Identifier: Apache-2.0
#include "shim/memory/memory_map.hpp"

#include <algorithm>
#include <optional>

namespace tdshim::memory {
namespace {

GpaRange intersection(const GpaRange& a, const GpaRange& b) {
    return GpaRange::between(std::max(a.start(), b.start()), std::min(a.end(), b.end()));
}

using UsedRanges = StaticVector<GpaRange, max_used_ranges>;

/// The first used range that `candidate` touches.
const GpaRange* obstacle(const UsedRanges& used, const GpaRange& candidate) {
    const auto found = std::ranges::find_if(
        used, [&](const GpaRange& range) { return range.overlaps(candidate); });
    return found == used.end() ? nullptr : &*found;
}

/// Walks upwards over the obstacles in `free`.
std::optional<GpaRange> lowest(const GpaRange& free, std::uint64_t size, std::uint64_t alignment,
                               const UsedRanges& used) {
    auto start = align_up(free.start().value, alignment);
    while (start && *start <= free.end().value && free.end().value - *start >= size) {
        const GpaRange candidate = GpaRange::between({*start}, {*start + size});
        const GpaRange* const blocked = obstacle(used, candidate);
        if (blocked == nullptr)
            return candidate;
        start = align_up(blocked->end().value, alignment);
    }
    return std::nullopt;
}

/// Walks downwards over the obstacles in `free`.
std::optional<GpaRange> highest(const GpaRange& free, std::uint64_t size, std::uint64_t alignment,
                                const UsedRanges& used) {
    std::uint64_t end = free.end().value;
    while (end >= size) {
        const std::uint64_t start = align_down(end - size, alignment);
        if (start < free.start().value)
            return std::nullopt;
        const GpaRange candidate = GpaRange::between({start}, {start + size});
        const GpaRange* const blocked = obstacle(used, candidate);
        if (blocked == nullptr)
            return candidate;
        end = blocked->start().value;
    }
    return std::nullopt;
}

} // namespace

MemoryMap::MemoryMap(const e820::Table& table) : table_(table) {
    join_neighbours();
}

void MemoryMap::join_neighbours() {
    std::size_t i = 1;
    while (i < table_.size()) {
        e820::Entry& below = table_[i - 1];
        const e820::Entry& entry = table_[i];
        if (below.type == entry.type && below.range.end() == entry.range.start()) {
            below.range = GpaRange::between(below.range.start(), entry.range.end());
            table_.erase(i);
        } else {
            ++i;
        }
    }
}

/// Takes `range`, which lies inside entry `index`, out of that entry, which may leave a piece on
/// either side.
Result<void> MemoryMap::cut(std::size_t index, const GpaRange& range) {
    const e820::Entry whole = table_[index];
    table_.erase(index);
    const GpaRange above = GpaRange::between(range.end(), whole.range.end());
    const GpaRange below = GpaRange::between(whole.range.start(), range.start());
    for (const GpaRange& piece : {above, below})
        if (!piece.empty() && !table_.insert(index, {piece, whole.type}))
            return refuse(Fault::too_many_entries, piece.start().value, e820::max_entries,
                          e820::max_entries + 1);
    return {};
}

Result<void> MemoryMap::retype(const GpaRange& range, e820::Type type) {
    if (range.empty() || !is_usable(range))
        return refuse(Fault::e820_no_memory, range.start().value, range.size(), 0);
    TRY(remove(range));
    std::size_t place = 0;
    while (place < table_.size() && table_[place].range.start() < range.start())
        ++place;
    if (!table_.insert(place, {range, type}))
        return refuse(Fault::too_many_entries, range.start().value, e820::max_entries,
                      e820::max_entries + 1);
    return {};
}

Result<void> MemoryMap::remove(const GpaRange& range) {
    std::size_t i = 0;
    while (i < table_.size()) {
        const e820::Entry& entry = table_[i];
        if (entry.type == e820::Type::memory && entry.range.overlaps(range))
            TRY(cut(i, intersection(entry.range, range))); // what stays here overlaps no longer
        else
            ++i;
    }
    return {};
}

Result<void> MemoryMap::add(const GpaRange& range) {
    std::size_t place = 0;
    while (place < table_.size() && table_[place].range.end() <= range.start())
        ++place;
    if (place < table_.size() && table_[place].range.overlaps(range))
        return refuse(Fault::e820_overlap, range.start().value, range.end().value,
                      table_[place].range.start().value);
    if (!table_.insert(place, {range, e820::Type::memory}))
        return refuse(Fault::too_many_entries, range.start().value, e820::max_entries,
                      e820::max_entries + 1);
    join_neighbours();
    return {};
}

Result<void> MemoryMap::use(const GpaRange& range) {
    if (!used_.push(range))
        return refuse(Fault::too_many_entries, range.start().value, max_used_ranges,
                      max_used_ranges + 1);
    return {};
}

void MemoryMap::release(const GpaRange& range) {
    for (std::size_t i = 0; i < used_.size(); ++i)
        if (used_[i] == range)
            return used_.erase(i);
}

std::optional<GpaRange> MemoryMap::find(const Request& request) const {
    const auto size = align_up(request.size, page_size);
    if (!size || *size == 0)
        return std::nullopt;
    const bool upwards = request.order == Request::Order::lowest_first;
    std::optional<GpaRange> best;
    for (const e820::Entry& entry : table_) {
        if (entry.type != e820::Type::memory)
            continue;
        const GpaRange free = intersection(entry.range, request.within);
        const auto found = upwards ? lowest(free, *size, request.alignment, used_)
                                   : highest(free, *size, request.alignment, used_);
        if (found && (!best || !upwards))
            best = found;
    }
    return best;
}

std::uint64_t MemoryMap::largest(Request request) const {
    std::uint64_t fits = 0; // pages, as the next
    std::uint64_t misfits = request.size / page_size + 1;
    while (misfits - fits > 1) {
        const std::uint64_t pages = fits + (misfits - fits) / 2;
        request.size = pages * page_size;
        (find(request) ? fits : misfits) = pages;
    }
    return fits * page_size;
}

Result<GpaRange> MemoryMap::allocate(const Request& request) {
    const auto place = find(request);
    if (!place)
        return refuse(Fault::memory_exhausted, request.within.start().value,
                      align_up(request.size, page_size).value_or(request.size), largest(request));
    TRY(use(*place));
    return *place;
}

bool MemoryMap::is_usable(const GpaRange& range) const {
    return std::ranges::any_of(table_, [&](const e820::Entry& entry) {
        return entry.type == e820::Type::memory && entry.range.contains(range);
    });
}

std::uint64_t MemoryMap::usable() const {
    std::uint64_t sum = 0;
    for (const e820::Entry& entry : table_)
        if (entry.type == e820::Type::memory)
            sum += entry.range.size();
    return sum;
}

} // namespace tdshim::memory
