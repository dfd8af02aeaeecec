// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/linux_inputs.hpp"

#include <algorithm>
#include <optional>

#include "shim/boot/report.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

using memory::Request;

constexpr std::uint64_t all_memory = std::uint64_t{1} << 47;
constexpr auto below_4g = GpaRange::of<1 * MiB, 4 * GiB - 1 * MiB>();
constexpr std::string_view unified = "unified kernel image";

/// An input that is a file of its own: a named item, else the item of a legacy key.
struct Item {
    std::string_view name;
    fw_cfg::Selector selector = 0;
    std::uint32_t size = 0;
};

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

/// The text that the kernel is to see: what the legacy key adds to it is one NUL at the end.
Bytes without_final_nul(Bytes text) {
    return !text.empty() && text.back() == std::byte{0} ? text.first(text.size() - 1) : text;
}

/// Memory for an initrd of `size` bytes.
Result<GpaRange> place_initrd(Context& context, const linux_boot::Kernel& kernel,
                              std::uint64_t size) {
    const std::uint64_t end = std::min(kernel.initrd_limit.value, all_memory - 1) + 1;
    return context.memory
        .allocate({.size = size,
                   .within = GpaRange::between({MiB}, {end}),
                   .order = Request::Order::highest_first})
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

Result<GpaRange> copy_initrd(Context& context, const linux_boot::Kernel& kernel, Bytes source) {
    const GpaRange place = TRY(place_initrd(context, kernel, source.size()));
    const MutableBytes memory = TRY(platform::memory(place));
    std::ranges::copy(source, memory.begin());
    TRY(record_initrd(context, place.start(), memory.first(source.size())));
    return GpaRange::make(place.start(), source.size());
}

Result<GpaRange> read_initrd(Context& context, const linux_boot::Kernel& kernel, const Item& item) {
    const GpaRange place = TRY(place_initrd(context, kernel, item.size));
    const MutableBytes memory = TRY(platform::memory(place));
    const MutableBytes bytes = memory.first(item.size);
    TRY(context.items.read(item.selector, bytes));
    TRY(record_initrd(context, place.start(), bytes));
    return GpaRange::make(place.start(), item.size);
}

/// Where a command line comes from, and how long it may be there.
struct Text {
    std::string_view source = "none";
    std::optional<Item> item;
    Bytes bytes; ///< where there is no item
    /// In td-shim's way all of its section is measured, else the text.
    std::optional<Bytes> measured;
};

/// The text up to the NUL in the VMM's PayloadParam section.
Result<Text> placed_text(Context& context, const GpaRange& section) {
    context.input = "PayloadParam section";
    const Bytes memory = TRY(platform::memory(section));
    const auto nul = std::ranges::find(memory, std::byte{0});
    if (nul == memory.end())
        return refuse(Fault::command_line_no_nul, section.start().value, memory.size() - 1,
                      memory.size());
    Text text{.source = context.input,
              .item = {},
              .bytes = memory.first(static_cast<std::size_t>(nul - memory.begin())),
              .measured = {}};
    if (context.has_option(tdvf::option_region_digests))
        text.measured = memory;
    return text;
}

Result<Text> find_text(Context& context, Bytes own) {
    Text text;
    const tdvf::Section* const section = context.section(tdvf::SectionType::payload_param);
    if (!context.uses_fw_cfg() && section != nullptr)
        text = TRY(placed_text(context, section->memory));
    else if (const auto item = TRY(find_item(context, command_line_names)))
        text = {.source = item->name, .item = item, .bytes = {}, .measured = {}};
    if (own.empty())
        return text;
    // A lone NUL is how QEMU says that there is none.
    if (!text.bytes.empty() || (text.item && text.item->size > 1))
        return refuse(Fault::uki_supplied_twice);
    return Text{.source = unified, .item = {}, .bytes = own, .measured = {}};
}

} // namespace

Result<GpaRange> load_initrd(Context& context, const linux_boot::Kernel& kernel, Bytes own) {
    const auto placed = TRY(placed_initrd(context));
    const auto item = placed ? std::nullopt : TRY(find_item(context, initrd_names));
    const bool is_supplied = placed || (item && item->size != 0);
    if (is_supplied && !own.empty())
        return refuse(Fault::uki_supplied_twice);
    if (!own.empty()) {
        context.input = unified;
        return copy_initrd(context, kernel, own);
    }
    if (placed) {
        const Bytes bytes = TRY(platform::memory(*placed));
        return copy_initrd(context, kernel, bytes);
    }
    return is_supplied ? read_initrd(context, kernel, *item) : GpaRange{};
}

Result<Gpa> load_command_line(Context& context, const linux_boot::Kernel& kernel, Bytes own) {
    const Text text = TRY(find_text(context, own));
    const std::uint64_t size = text.item ? text.item->size : text.bytes.size();
    const std::uint64_t limit = kernel.command_line_limit;
    if (size > limit + 1)
        return refuse(Fault::command_line_too_long, 0, limit, size);
    const GpaRange place = TRY(context.memory.allocate({.size = size + 1, .within = below_4g}));
    const MutableBytes memory = TRY(platform::memory(place));
    const MutableBytes bytes = memory.first(size);
    if (text.item)
        TRY(context.items.read(text.item->selector, bytes));
    else
        std::ranges::copy(text.bytes, bytes.begin());
    const Bytes line = text.item ? without_final_nul(bytes) : Bytes(bytes);
    const measure::Measurement measured = measure::command_line(text.measured.value_or(line));
    TRY(context.recorder.record(measured));
    report("command line", text.source, measured);
    if (line.size() > limit)
        return refuse(Fault::command_line_too_long, 0, limit, line.size());
    if (const auto nul = std::ranges::find(line, std::byte{0}); nul != line.end())
        return refuse(Fault::command_line_nul, static_cast<std::uint64_t>(nul - line.begin()));
    memory[line.size()] = std::byte{0};
    return place.start();
}

} // namespace tdshim::boot
