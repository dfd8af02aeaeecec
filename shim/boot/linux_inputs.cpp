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
/// Linux takes several archives one behind the other, each on four bytes.
constexpr std::uint64_t initrd_alignment = 4;

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

/// An initrd that the VMM supplies.
struct SuppliedInitrd {
    std::optional<GpaRange> placed;
    std::optional<Item> item;
    std::string_view source;

    [[nodiscard]] std::uint64_t size() const {
        return placed ? placed->size() : item ? item->size : 0;
    }
};

Result<SuppliedInitrd> find_initrd(Context& context) {
    SuppliedInitrd supplied{.placed = TRY(placed_initrd(context)), .item = {}, .source = {}};
    if (!supplied.placed)
        supplied.item = TRY(find_item(context, initrd_names));
    supplied.source = context.input;
    return supplied;
}

Result<void> fetch_initrd(Context& context, const SuppliedInitrd& supplied, MutableBytes bytes) {
    if (!supplied.placed)
        return context.items.read(supplied.item->selector, bytes);
    const Bytes source = TRY(platform::memory(*supplied.placed));
    std::ranges::copy(source.first(bytes.size()), bytes.begin());
    return {};
}

/// Whether what the VMM supplies goes with what the payload brings.
Result<void> check_beside(const Own& own, bool is_supplied) {
    if (!is_supplied || own.beside == Beside::appended)
        return {};
    if (own.beside == Beside::refused)
        return refuse(Fault::payload_sealed);
    return own.bytes.empty() ? Result<void>{} : refuse(Fault::uki_supplied_twice);
}

/// Where a command line comes from, and how long it may be there.
struct Text {
    std::string_view source = "none";
    std::optional<Item> item;
    Bytes bytes; ///< where there is no item
    /// In td-shim's way all of its section is measured, else the text.
    std::optional<Bytes> measured;

    [[nodiscard]] std::uint64_t size() const { return item ? item->size : bytes.size(); }
    /// A lone NUL is how QEMU says that there is none.
    [[nodiscard]] bool empty() const { return size() <= (item ? 1 : 0); }
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

/// The one that the VMM supplies.
Result<Text> find_text(Context& context) {
    const tdvf::Section* const section = context.section(tdvf::SectionType::payload_param);
    if (!context.uses_fw_cfg() && section != nullptr)
        return placed_text(context, section->memory);
    if (const auto item = TRY(find_item(context, command_line_names)))
        return Text{.source = item->name, .item = item, .bytes = {}, .measured = {}};
    return Text{};
}

/// Writes `text` behind `own` into `bytes`, which has room for both and a blank between them.
/// Returns the line as the kernel is to see it.
Result<Bytes> write_line(Context& context, const Own& own, const Text& text, MutableBytes bytes) {
    const MutableBytes rest = bytes.last(text.size());
    std::ranges::fill(bytes, std::byte{' '});
    std::ranges::copy(own.bytes, bytes.begin());
    if (!text.item) {
        std::ranges::copy(text.bytes, rest.begin());
        return bytes;
    }
    TRY(context.items.read(text.item->selector, rest));
    return without_final_nul(bytes);
}

} // namespace

Result<GpaRange> load_initrd(Context& context, const linux_boot::Kernel& kernel, const Own& own) {
    const SuppliedInitrd supplied = TRY(find_initrd(context));
    TRY(check_beside(own, supplied.size() != 0));
    const std::uint64_t start =
        supplied.size() == 0 ? own.bytes.size() : *align_up(own.bytes.size(), initrd_alignment);
    const std::uint64_t size = start + supplied.size();
    if (size == 0)
        return GpaRange{};
    const GpaRange place = TRY(place_initrd(context, kernel, size));
    const MutableBytes memory = TRY(platform::memory(place));
    if (!own.bytes.empty()) {
        context.input = own.source;
        std::ranges::fill(memory.first(start), std::byte{0});
        std::ranges::copy(own.bytes, memory.begin());
        TRY(record_initrd(context, place.start(), memory.first(own.bytes.size())));
    }
    if (supplied.size() != 0) {
        context.input = supplied.source;
        const MutableBytes bytes = memory.subspan(start, supplied.size());
        TRY(fetch_initrd(context, supplied, bytes));
        TRY(record_initrd(context, {place.start().value + start}, bytes));
    }
    return GpaRange::make(place.start(), size);
}

Result<Gpa> load_command_line(Context& context, const linux_boot::Kernel& kernel, const Own& own) {
    Text text = TRY(find_text(context));
    TRY(check_beside(own, !text.empty()));
    const bool is_joined = !own.bytes.empty() && !text.empty();
    if (!own.bytes.empty() && text.empty())
        text = Text{.source = own.source, .item = {}, .bytes = {}, .measured = {}};
    const std::uint64_t size = own.bytes.size() + (is_joined ? 1 : 0) + text.size();
    const std::uint64_t limit = kernel.command_line_limit;
    if (size > limit + 1)
        return refuse(Fault::command_line_too_long, 0, limit, size);
    const GpaRange place = TRY(context.memory.allocate({.size = size + 1, .within = below_4g}));
    const MutableBytes memory = TRY(platform::memory(place));
    const Bytes line = TRY(write_line(context, own, text, memory.first(size)));
    const measure::Measurement measured =
        measure::command_line(own.bytes.empty() ? text.measured.value_or(line) : line);
    TRY(context.recorder.record(measured));
    report("command line", is_joined ? "payload, and what the VMM appends" : text.source, measured);
    if (line.size() > limit)
        return refuse(Fault::command_line_too_long, 0, limit, line.size());
    if (const auto nul = std::ranges::find(line, std::byte{0}); nul != line.end())
        return refuse(Fault::command_line_nul, static_cast<std::uint64_t>(nul - line.begin()));
    memory[line.size()] = std::byte{0};
    return place.start();
}

} // namespace tdshim::boot
