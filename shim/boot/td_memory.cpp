// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/td_memory.hpp"

#include <array>

#include "shim/base/line.hpp"
#include "shim/boot/memory_map.hpp"
#include "shim/formats/hob/hob.hpp"
#include "shim/memory/acceptance.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

using memory::AcceptanceCounts;
using memory::AcceptancePlan;

// What the metadata's sections name the VMM added before the TD began to run; the other two are
// accepted apart from the rest, the mailbox before it and the window after it.
constexpr std::array not_in_the_plan{layout::shim_code, layout::shim_data, layout::td_hob,
                                     layout::event_log, layout::mailbox,   layout::shared_window};

/// Where the processors wait that the operating system did not start yet; Linux keeps devices away.
constexpr auto image =
    GpaRange::of<layout::image_end - layout::max_image_size, layout::max_image_size>();

Result<void> accept(const AcceptancePlan& plan) {
    platform::print((Line() << "tdshim: acceptance: " << plan.bytes() / KiB << " KiB in "
                            << std::uint64_t{plan.ranges().size()} << " ranges, "
                            << std::uint64_t{plan.units()} << " units")
                        .text());
    const AcceptanceCounts counts = TRY(platform::accept_memory(plan));
    platform::print((Line() << "tdshim: accepted: " << counts.small_pages << " pages of 4 KiB, "
                            << counts.large_pages << " of 2 MiB, " << counts.size_mismatches
                            << " size mismatches")
                        .text());
    return {};
}

Result<e820::Table> table_of(const hob::MemoryList& list) {
    e820::Table table;
    for (const hob::Memory& memory : list)
        if (!table.push({memory.range, e820::Type::memory}))
            return refuse(Fault::too_many_entries, memory.range.start().value, e820::max_entries,
                          e820::max_entries + 1);
    std::size_t place = 0;
    while (place < table.size() && table[place].range.start() < image.start()) {
        if (table[place].range.overlaps(image))
            return refuse(Fault::e820_overlap, image.start().value, 0,
                          table[place].range.start().value);
        ++place;
    }
    if (place < table.size() && table[place].range.overlaps(image))
        return refuse(Fault::e820_overlap, image.start().value, 0,
                      table[place].range.start().value);
    if (!table.insert(place, {image, e820::Type::reserved}))
        return refuse(Fault::too_many_entries, image.start().value, e820::max_entries,
                      e820::max_entries + 1);
    return table;
}

} // namespace

Result<void> read_td_memory(Context& context) {
    context.input = "TD HOB";
    // Private memory that the VMM filled before the TD began to run and cannot change since: there
    // is no need for a copy.
    const Bytes area = TRY(platform::memory(layout::td_hob));
    const Bytes bytes = area.first(TRY(hob::list_size(area)));
    TRY(context.recorder.record(measure::configuration(measure::td_hob_descriptor, bytes)));
    const hob::MemoryList list =
        TRY(hob::parse(bytes, layout::td_hob.start(), platform::private_memory_end()));

    const AcceptancePlan plan = TRY(AcceptancePlan::make(list, not_in_the_plan));
    TRY(accept(plan));
    context.memory = memory::MemoryMap(TRY(table_of(list)));
    TRY(context.memory.use(layout::shared_window));
    return set_aside(context.memory);
}

} // namespace tdshim::boot
