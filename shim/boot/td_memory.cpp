// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/td_memory.hpp"

#include <algorithm>
#include <array>

#include "shim/base/line.hpp"
#include "shim/boot/memory_map.hpp"
#include "shim/formats/hob/hob.hpp"
#include "shim/memory/acceptance.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

using memory::AcceptancePlan;

// What the VMM added before the TD began to run, in an image that does not say so itself.
constexpr std::array added_by_default{layout::shim_code, layout::shim_data, layout::td_hob,
                                      layout::event_log, layout::mailbox};
// Accepted after the rest, when it is no longer shared.
constexpr std::array accepted_apart{layout::shared_window};
constexpr std::array never_accepted{layout::video_memory};
using KeptRanges =
    StaticVector<GpaRange, tdvf::max_sections + accepted_apart.size() + never_accepted.size()>;

/// Where the processors wait that the operating system did not start yet; Linux keeps devices away.
constexpr auto image =
    GpaRange::of<layout::image_end - layout::max_image_size, layout::max_image_size>();

/// More than this takes a while, and says so before.
constexpr std::uint64_t worth_a_line = 1 * GiB;

/// The VMM wants all memory accepted, for a kernel that accepts none itself.
Result<void> check_wish_for_all(Context& context, const fw_cfg::File& item) {
    std::array<std::byte, measure::accept_all_text.size()> text{};
    if (item.size != text.size())
        return refuse(Fault::fw_cfg_item_size, 0, text.size(), item.size);
    TRY(context.items.read(item.selector, text));
    TRY(context.recorder.record(measure::configuration(measure::accept_descriptor, text)));
    if (!std::ranges::equal(text, bytes_of(measure::accept_all_text)))
        return refuse(Fault::accept_policy);
    return {};
}

/// An image that owns its memory has all of it accepted; of one that asks the VMM, that is its to
/// say.
Result<memory::Extent> extent_to_accept(Context& context) {
    if (context.section(tdvf::SectionType::perm_mem) != nullptr)
        return memory::Extent::all;
    if (!context.uses_fw_cfg())
        return memory::Extent::ends;
    context.input = fw_cfg::accept_policy;
    if (const auto wish = context.items.find(fw_cfg::accept_policy)) {
        TRY(check_wish_for_all(context, *wish));
        return memory::Extent::all;
    }
    TRY(context.recorder.record(
        measure::configuration(measure::accept_descriptor, bytes_of(measure::accept_lazily_text))));
    return memory::Extent::ends;
}

Result<void> accept(Context& context, const AcceptancePlan& plan) {
    if (plan.bytes() == 0)
        return {};
    if (plan.bytes() > worth_a_line)
        platform::print((Line() << "tdshim: accepting " << plan.bytes() / MiB << " MiB").text());
    const auto counts = platform::accept_memory(plan);
    if (!counts) {
        context.input = "TD HOB"; // whatever the memory was for
        return std::unexpected(counts.error());
    }
    context.accepted += *counts;
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

/// What is not in the plan of acceptance.
Result<KeptRanges> kept_ranges(const Context& context) {
    KeptRanges kept;
    bool fits = true;
    for (const GpaRange& range : accepted_apart)
        fits = fits && kept.push(range);
    for (const GpaRange& range : never_accepted)
        fits = fits && kept.push(range);
    if (!context.metadata)
        for (const GpaRange& range : added_by_default)
            fits = fits && kept.push(range);
    else
        for (const tdvf::Section& section : context.metadata->sections)
            if (section.type != tdvf::SectionType::perm_mem && !section.memory.empty())
                fits = fits && kept.push(section.memory);
    if (!fits)
        return refuse(Fault::too_many_entries, 0, kept.capacity(), kept.capacity() + 1);
    return kept;
}

/// The memory of an image that owns it: its PermMem sections, which the VMM gives when they are
/// accepted, and between them what it added.
Result<hob::MemoryList> memory_of_sections(const tdvf::Metadata& metadata) {
    hob::MemoryList list;
    for (const tdvf::Section& section : metadata.sections) {
        const GpaRange& range = section.memory;
        if (range.empty() || range.start() >= image.start())
            continue;
        if (!list.push({range, section.type != tdvf::SectionType::perm_mem}))
            return refuse(Fault::too_many_entries, range.start().value, list.capacity(),
                          list.capacity() + 1);
    }
    list.sort_by([](const hob::Memory& m) { return m.range.start(); });
    return list;
}

bool has_td_hob(const Context& context) {
    return !context.metadata || context.section(tdvf::SectionType::td_hob) != nullptr;
}

} // namespace

Result<void> clear_filled_memory(Context& context, bool runs_in_place) {
    context.td_hob = {};
    if (has_td_hob(context))
        TRY(clear_memory(layout::td_hob));
    if (const auto* const section = context.section(tdvf::SectionType::payload_param))
        TRY(clear_memory(section->memory));
    const auto* const payload = context.section(tdvf::SectionType::payload);
    return payload == nullptr || runs_in_place ? Result<void>{} : clear_memory(payload->memory);
}

Result<void> read_td_hob(Context& context) {
    context.input = "TD HOB";
    if (!has_td_hob(context))
        return {};
    // Private memory that the VMM filled before the TD began to run and cannot change since: there
    // is no need for a copy.
    const Bytes area = TRY(platform::memory(layout::td_hob));
    const Bytes bytes = area.first(TRY(hob::list_size(area)));
    if (!context.has_option(tdvf::option_portable))
        TRY(context.recorder.record(measure::td_hob(bytes)));
    context.td_hob = TRY(hob::parse(bytes, layout::td_hob.start(), platform::private_memory_end()));
    return {};
}

Result<void> accept_td_memory(Context& context) {
    // What the image says of its own memory counts, whatever the VMM lists.
    if (context.section(tdvf::SectionType::perm_mem) != nullptr)
        context.td_hob.memory = TRY(memory_of_sections(*context.metadata));
    const memory::Extent extent = TRY(extent_to_accept(context));
    context.input = "TD HOB";
    const KeptRanges kept = TRY(kept_ranges(context));
    const AcceptancePlan plan =
        TRY(AcceptancePlan::make(context.td_hob.memory, kept.view(), extent));
    TRY(accept(context, plan));
    context.unaccepted = plan.left();
    context.memory = memory::MemoryMap(TRY(table_of(context.td_hob.memory)));
    return set_aside(context);
}

Result<void> accept_place(Context& context, const GpaRange& place) {
    const auto plan = AcceptancePlan::take(context.unaccepted, place);
    if (!plan)
        return std::unexpected(plan.error());
    context.unaccepted = plan->left();
    return accept(context, *plan);
}

Result<void> accept_what_is_left(Context& context) {
    return accept_place(context, GpaRange::between({0}, platform::private_memory_end()));
}

} // namespace tdshim::boot
