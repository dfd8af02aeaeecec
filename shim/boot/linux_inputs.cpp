// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/linux_inputs.hpp"

#include <algorithm>
#include <optional>

#include "shim/boot/aml.hpp"
#include "shim/boot/memory_map.hpp"
#include "shim/boot/report.hpp"
#include "shim/plan/command_line.hpp"
#include "shim/plan/initrd.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

using memory::Request;

constexpr std::uint64_t all_memory = std::uint64_t{1} << 47;
constexpr auto below_4g = GpaRange::of<1 * MiB, 4 * GiB - 1 * MiB>();

struct Names {
    std::string_view name;
    std::string_view legacy_name;
    fw_cfg::Selector legacy_size = 0;
    fw_cfg::Selector legacy_data = 0;
};

constexpr Names initrd_names{fw_cfg::named_initrd, "fw_cfg legacy initrd", fw_cfg::initrd_size,
                             fw_cfg::initrd_data};
constexpr Names command_line_names{fw_cfg::named_command_line, "fw_cfg legacy command line",
                                   fw_cfg::command_line_size, fw_cfg::command_line_data};

Result<std::optional<Item>> find_item(Context& context, const Names& names) {
    if (!context.uses_fw_cfg())
        return std::nullopt;
    context.input = names.name;
    if (const auto file = context.items.find(names.name))
        return Item{names.name, file->selector, file->size};
    context.input = names.legacy_name;
    const std::uint32_t size = TRY(context.items.number(names.legacy_size));
    if (size != 0)
        return Item{names.legacy_name, names.legacy_data, size};
    return std::nullopt;
}

/// Memory for an initrd of `size` bytes.
Result<GpaRange> place_initrd(Context& context, const linux_boot::Kernel& kernel,
                              std::uint64_t size) {
    const std::uint64_t limit = std::min(kernel.initrd_limit.value, all_memory - 1) + 1;
    const auto below = [&](std::uint64_t end) {
        return Request{.size = size,
                       .within = GpaRange::between({MiB}, {std::min(end, limit)}),
                       .order = Request::Order::highest_first};
    };
    // Where a payload was copied to memory is accepted already.
    const bool fits_low = context.memory.find(below(4 * GiB)).has_value();
    return allocate(context, below(fits_low ? 4 * GiB : limit))
        .transform_error(memory::said_as<Fault::initrd_does_not_fit>);
}

Result<void> record_initrd(Context& context, Gpa place, Bytes bytes) {
    const measure::Measurement measured = measure::initrd(place, measure::digest_of(bytes));
    TRY(context.recorder.record(measured));
    report("initrd", context.input, measured);
    return {};
}

/// The initrd that the VMM put into the Payload section, behind the kernel.
Result<std::optional<GpaRange>> placed_initrd(Context& context) {
    const auto& range = context.td_hob.initrd;
    const tdvf::Section* const section = context.section(tdvf::SectionType::payload);
    if (context.uses_fw_cfg() || !range || range->empty())
        return std::nullopt;
    context.input = "initrd in the Payload section";
    if (section == nullptr || !section->memory.contains(*range))
        return refuse(Fault::hob_initrd_place, range->start().value,
                      section == nullptr ? 0 : section->memory.end().value, range->end().value);
    return *range;
}

Result<void> fetch_initrd(Context& context, const SuppliedInitrd& supplied, MutableBytes bytes) {
    if (!supplied.placed)
        return context.items.read(supplied.item->selector, bytes);
    const Bytes source = TRY(platform::memory(*supplied.placed));
    std::ranges::copy(source.first(bytes.size()), bytes.begin());
    return {};
}

plan::Demands demands_of(const Context& context, const OwnFiles& own) {
    return {.is_signed = own.is_signed,
            .keeps_tables_out = aml_policy(context) != tdvf::AmlPolicy::measured};
}

/// A command line of the VMM's, before it is known what is in it.
struct SuppliedText {
    std::string_view source = "none";
    std::optional<Item> item;
    Bytes placed; ///< where there is no item
    /// In td-shim's way all of its section is measured, else the text.
    std::optional<Bytes> measured;

    [[nodiscard]] std::uint64_t size() const { return item ? item->size : placed.size(); }
};

/// The text up to the NUL in the VMM's PayloadParam section.
Result<SuppliedText> placed_text(Context& context, const GpaRange& section) {
    context.input = "PayloadParam section";
    const Bytes memory = TRY(platform::memory(section));
    const auto nul = std::ranges::find(memory, std::byte{0});
    if (nul == memory.end())
        return refuse(Fault::command_line_no_nul, section.start().value, memory.size() - 1,
                      memory.size());
    SuppliedText text{.source = context.input,
                      .item = {},
                      .placed = memory.first(static_cast<std::size_t>(nul - memory.begin())),
                      .measured = {}};
    if (context.has_option(tdvf::option_region_digests))
        text.measured = memory;
    return text;
}

Result<SuppliedText> find_text(Context& context) {
    const tdvf::Section* const section = context.section(tdvf::SectionType::payload_param);
    if (!context.uses_fw_cfg() && section != nullptr)
        return placed_text(context, section->memory);
    if (const auto item = TRY(find_item(context, command_line_names)))
        return SuppliedText{.source = item->name, .item = item, .placed = {}, .measured = {}};
    return SuppliedText{};
}

/// Copies the text to `memory`, which is as large, and says how much of it is text.
Result<Bytes> fetch_text(Context& context, const SuppliedText& text, MutableBytes memory) {
    if (!text.item) {
        std::ranges::copy(text.placed, memory.begin());
        return memory;
    }
    TRY(context.items.read(text.item->selector, memory));
    return plan::text_of_item(memory);
}

} // namespace

Result<SuppliedInitrd> find_initrd(Context& context) {
    SuppliedInitrd supplied{.placed = TRY(placed_initrd(context)), .item = {}, .source = {}};
    if (!supplied.placed)
        supplied.item = TRY(find_item(context, initrd_names));
    supplied.source = context.input;
    return supplied;
}

Result<GpaRange> load_initrd(Context& context, const linux_boot::Kernel& kernel,
                             const OwnFiles& own, const SuppliedInitrd& supplied) {
    const Bytes own_bytes = own.files.initrd.bytes;
    const std::uint64_t start =
        supplied.size() == 0 ? own_bytes.size() : plan::place_of_supplied_initrd(own_bytes.size());
    const std::uint64_t size = start + supplied.size();
    if (size == 0)
        return GpaRange{};
    context.input = supplied.size() == 0 ? own.source : supplied.source;
    const GpaRange place = TRY(place_initrd(context, kernel, size));
    const MutableBytes memory = TRY(platform::memory(place));
    if (!own_bytes.empty()) {
        context.input = own.source;
        std::ranges::fill(memory.first(start), std::byte{0});
        std::ranges::copy(own_bytes, memory.begin());
        TRY(record_initrd(context, place.start(), memory.first(own_bytes.size())));
    }
    if (supplied.size() != 0) {
        context.input = supplied.source;
        const MutableBytes bytes = memory.subspan(start, supplied.size());
        TRY(fetch_initrd(context, supplied, bytes));
        TRY(record_initrd(context, {place.start().value + start}, bytes));
    }
    TRY(plan::check_initrd(memory.first(size), start, demands_of(context, own)));
    return GpaRange::make(place.start(), size);
}

Result<Gpa> load_command_line(Context& context, const linux_boot::Kernel& kernel,
                              const OwnFiles& files) {
    const plan::Own& own = files.files.command_line;
    const SuppliedText text = TRY(find_text(context));
    if (text.size() == 0 && !own.bytes.empty())
        context.input = files.source; // whose line it is that may be refused
    const std::uint64_t limit = kernel.command_line_limit;
    // With the NUL that may end an item.
    if (own.bytes.size() > limit || text.size() > limit + 1)
        return refuse(Fault::command_line_too_long, 0, limit, own.bytes.size() + text.size());
    const std::size_t start = plan::place_of_supplied(own);
    const GpaRange place =
        TRY(allocate(context, {.size = start + text.size() + 1, .within = below_4g}));
    const MutableBytes memory = TRY(platform::memory(place));
    const Bytes supplied = TRY(fetch_text(context, text, memory.subspan(start, text.size())));
    const Bytes line = TRY(plan::join(own, supplied, memory));
    const measure::Measurement measured =
        measure::command_line(own.bytes.empty() ? text.measured.value_or(line) : line);
    TRY(context.recorder.record(measured));
    report("command line",
           supplied.empty() && !own.bytes.empty() ? files.source
           : own.bytes.empty()                    ? text.source
                                                  : "payload, and what the VMM appends",
           measured);
    TRY(plan::check_line(line, !supplied.empty(), limit, demands_of(context, files)));
    memory[line.size()] = std::byte{0};
    return place.start();
}

} // namespace tdshim::boot
