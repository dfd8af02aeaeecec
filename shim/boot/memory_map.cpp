// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/memory_map.hpp"

#include <array>

#include "shim/base/clear.hpp"
#include "shim/boot/td_memory.hpp"
#include "shim/formats/e820/e820.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

constinit std::array<std::byte, e820::max_entries * sizeof(e820::WireEntry)> item_bytes{};

/// Video memory and option ROMs: never memory to Linux, whatever the VMM calls it.
constexpr auto legacy_hole = GpaRange::between(layout::video_memory.start(), {1 * MiB});

} // namespace

Result<void> set_aside(Context& context) {
    memory::MemoryMap& memory = context.memory;
    for (const GpaRange& range : {layout::shim_code, layout::shim_data}) {
        if (!memory.is_usable(range))
            return refuse(Fault::e820_no_memory, range.start().value, range.size(), 0);
        TRY(memory.use(range));
    }
    for (const GpaRange& range : {layout::td_hob, layout::shared_window})
        TRY(memory.use(range));
    if (context.metadata)
        for (const tdvf::Section& section : context.metadata->sections)
            // What the image owns is what it allocates from.
            if (section.type != tdvf::SectionType::perm_mem && !section.memory.empty())
                TRY(memory.use(section.memory));
    TRY(memory.remove(legacy_hole));
    for (const GpaRange& range : {layout::event_log, layout::mailbox})
        TRY(memory.retype(range, e820::Type::nvs));
    return {};
}

Result<void> clear_memory(const GpaRange& range) {
    clear(TRY(platform::memory(range)));
    return {};
}

Result<GpaRange> allocate(Context& context, const memory::Request& request) {
    const GpaRange place = TRY(context.memory.allocate(request));
    TRY(accept_place(context, place));
    return place;
}

Result<memory::MemoryMap> accepted_memory(const Context& context) {
    memory::MemoryMap accepted = context.memory;
    for (const GpaRange& range : context.unaccepted)
        TRY(accepted.remove(range));
    return accepted;
}

Result<void> read_memory_map(Context& context) {
    context.input = fw_cfg::e820_table;
    const auto file = context.items.find(fw_cfg::e820_table);
    if (!file)
        return refuse(Fault::fw_cfg_item_missing);
    if (file->size > item_bytes.size())
        return refuse(Fault::fw_cfg_item_size, 0, item_bytes.size(), file->size);
    const MutableBytes bytes = std::span(item_bytes).first(file->size);
    TRY(context.items.read(file->selector, bytes));
    if (!context.has_option(tdvf::option_portable))
        TRY(context.recorder.record(measure::configuration(fw_cfg::e820_table, bytes)));
    context.memory = memory::MemoryMap(TRY(e820::parse(bytes)));
    return set_aside(context);
}

} // namespace tdshim::boot
