// SPDX-License-Identifier: Apache-2.0
#include "shim/memory/acceptance.hpp"

#include <algorithm>

namespace tdshim::memory {
namespace {

std::size_t units_of(const GpaRange& range) {
    return static_cast<std::size_t>((range.end().value - 1) / unit_size -
                                    range.start().value / unit_size + 1);
}

Result<void> push(RangeList& list, const GpaRange& range) {
    if (!range.empty() && !list.push(range))
        return refuse(Fault::too_many_entries, range.start().value, RangeList::capacity(),
                      RangeList::capacity() + 1);
    return {};
}

} // namespace

/// Adds `piece` as what is left, and its ends that are no whole large page.
Result<void> AcceptancePlan::add_piece(const GpaRange& piece) {
    const std::uint64_t end = piece.end().value;
    const auto first = align_up(piece.start().value, large_page_size);
    const std::uint64_t left_from = std::min(first.value_or(end), end);
    const std::uint64_t left_to = std::max(align_down(end, large_page_size), left_from);
    const GpaRange left = GpaRange::between({left_from}, {left_to});
    if (extent_ == Extent::all || left.empty())
        return push(ranges_, piece);
    TRY(push(ranges_, GpaRange::between(piece.start(), left.start())));
    TRY(push(ranges_, GpaRange::between(left.end(), piece.end())));
    return push(left_, left);
}

/// Adds what of `range` lies outside `kept`.
Result<void> AcceptancePlan::add(GpaRange range, std::span<const GpaRange> kept) {
    while (!range.empty()) {
        const GpaRange* first = nullptr; // the lowest kept range in the way
        for (const GpaRange& hole : kept)
            if (hole.overlaps(range) && (first == nullptr || hole.start() < first->start()))
                first = &hole;
        const Gpa end = first == nullptr ? range.end() : first->start();
        const GpaRange piece = GpaRange::between(range.start(), end);
        TRY(add_piece(piece));
        range = GpaRange::between(first == nullptr ? range.end() : first->end(), range.end());
    }
    return {};
}

Result<AcceptancePlan> AcceptancePlan::make(const hob::MemoryList& list,
                                            std::span<const GpaRange> kept, Extent extent) {
    AcceptancePlan plan;
    plan.extent_ = extent;
    for (const hob::Memory& memory : list)
        if (!memory.is_accepted)
            TRY(plan.add(memory.range, kept));
    return plan;
}

Result<AcceptancePlan> AcceptancePlan::take(const RangeList& left, const GpaRange& range) {
    AcceptancePlan plan;
    for (const GpaRange& piece : left) {
        if (!piece.overlaps(range)) {
            TRY(push(plan.left_, piece));
            continue;
        }
        const Gpa from{
            std::max(align_down(range.start().value, large_page_size), piece.start().value)};
        const auto end = align_up(range.end().value, large_page_size);
        const Gpa to = end ? std::min(Gpa{*end}, piece.end()) : piece.end();
        TRY(push(plan.left_, GpaRange::between(piece.start(), from)));
        TRY(push(plan.ranges_, GpaRange::between(from, to)));
        TRY(push(plan.left_, GpaRange::between(to, piece.end())));
    }
    return plan;
}

std::uint64_t AcceptancePlan::bytes() const {
    std::uint64_t sum = 0;
    for (const GpaRange& range : ranges_)
        sum += range.size();
    return sum;
}

std::size_t AcceptancePlan::units() const {
    std::size_t count = 0;
    for (const GpaRange& range : ranges_)
        count += units_of(range);
    return count;
}

GpaRange AcceptancePlan::unit(std::size_t index) const {
    for (const GpaRange& range : ranges_) {
        const std::size_t count = units_of(range);
        if (index < count) {
            const std::uint64_t start =
                align_down(range.start().value, unit_size) + index * unit_size;
            return GpaRange::between({std::max(start, range.start().value)},
                                     {std::min(start + unit_size, range.end().value)});
        }
        index -= count;
    }
    return {};
}

} // namespace tdshim::memory
