// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/td_memory.hpp"

#include <algorithm>
#include <array>
#include <string_view>

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

// Room for a kernel to run in and for everything that is small, beside the files themselves.
constexpr std::uint64_t accepted_anyway = 512 * MiB;

/// Whether the VMM wants all memory accepted, for a kernel that accepts none itself.
Result<bool> wants_all(Context& context) {
    context.input = fw_cfg::accept_policy;
    const auto item = context.items.find(fw_cfg::accept_policy);
    if (!item)
        return false;
    std::array<std::byte, measure::accept_all_text.size()> text{};
    if (item->size != text.size())
        return refuse(Fault::fw_cfg_item_size, 0, text.size(), item->size);
    TRY(context.items.read(item->selector, text));
    TRY(context.recorder.record(measure::configuration(measure::accept_descriptor, text)));
    if (!std::ranges::equal(text, bytes_of(measure::accept_all_text)))
        return refuse(Fault::accept_policy);
    return true;
}

/// The size of the largest item that may be the payload's, read or not.
std::uint64_t size_of(const Context& context, std::string_view name) {
    const auto item = context.items.find(name);
    return item ? item->size : 0;
}

/// Each file may stand in memory twice: as it came, and where it runs.
Result<std::uint64_t> bytes_to_accept(Context& context) {
    if (TRY(wants_all(context)))
        return ~std::uint64_t{0};
    std::uint64_t files = TRY(context.items.number(fw_cfg::kernel_size));
    files += TRY(context.items.number(fw_cfg::initrd_size));
    for (const std::string_view name :
         {fw_cfg::named_kernel, fw_cfg::named_initrd, fw_cfg::boot_kernel})
        files += size_of(context, name);
    return accepted_anyway + 2 * files;
}

Result<void> accept(const AcceptancePlan& plan) {
    std::uint64_t left = 0;
    for (const GpaRange& range : plan.left())
        left += range.size();
    platform::print((Line() << "tdshim: acceptance: " << plan.bytes() / KiB << " KiB in "
                            << std::uint64_t{plan.ranges().size()} << " ranges, "
                            << std::uint64_t{plan.units()} << " units; " << left / KiB
                            << " KiB left to Linux")
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

Result<hob::MemoryList> read_td_hob(Context& context) {
    context.input = "TD HOB";
    // Private memory that the VMM filled before the TD began to run and cannot change since: there
    // is no need for a copy.
    const Bytes area = TRY(platform::memory(layout::td_hob));
    const Bytes bytes = area.first(TRY(hob::list_size(area)));
    if (!context.has_option(tdvf::option_portable))
        TRY(context.recorder.record(measure::configuration(measure::td_hob_descriptor, bytes)));
    return hob::parse(bytes, layout::td_hob.start(), platform::private_memory_end());
}

Result<void> accept_td_memory(Context& context, const hob::MemoryList& list) {
    const std::uint64_t now = TRY(bytes_to_accept(context));
    context.input = "TD HOB";
    const AcceptancePlan plan = TRY(AcceptancePlan::make(list, not_in_the_plan, now));
    TRY(accept(plan));
    context.unaccepted = plan.left();
    context.memory = memory::MemoryMap(TRY(table_of(list)));
    for (const GpaRange& range : plan.left())
        TRY(context.memory.remove(range));
    TRY(context.memory.use(layout::shared_window));
    return set_aside(context.memory);
}

} // namespace tdshim::boot
