// SPDX-License-Identifier: Apache-2.0
#include "shim/memory/acceptance.hpp"

#include <algorithm>

namespace tdshim::memory {
namespace {

std::size_t units_of(const GpaRange& range) {
    return static_cast<std::size_t>((range.end().value - 1) / unit_size -
                                    range.start().value / unit_size + 1);
}

} // namespace

/// Adds what of `range` lies outside `kept`.
Result<void> AcceptancePlan::add(GpaRange range, std::span<const GpaRange> kept) {
    while (!range.empty()) {
        const GpaRange* first = nullptr; // the lowest kept range in the way
        for (const GpaRange& hole : kept)
            if (hole.overlaps(range) && (first == nullptr || hole.start() < first->start()))
                first = &hole;
        const Gpa end = first == nullptr ? range.end() : first->start();
        const GpaRange piece = GpaRange::between(range.start(), end);
        if (!piece.empty() && !ranges_.push(piece))
            return refuse(Fault::too_many_entries, piece.start().value, ranges_.capacity(),
                          ranges_.capacity() + 1);
        range = GpaRange::between(first == nullptr ? range.end() : first->end(), range.end());
    }
    return {};
}

Result<AcceptancePlan> AcceptancePlan::make(const hob::MemoryList& list,
                                            std::span<const GpaRange> kept) {
    AcceptancePlan plan;
    for (const hob::Memory& memory : list)
        if (!memory.is_accepted)
            TRY(plan.add(memory.range, kept));
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
