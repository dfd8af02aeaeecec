// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/event_form.hpp"

#include <algorithm>
#include <format>

namespace tdshim::tools {
namespace {

using event_log::Event;
using event_log::EventType;

using Wrong = std::optional<std::string>;

bool is_printable(std::byte byte) {
    return byte >= std::byte{' '} && byte <= std::byte{'~'};
}

/// Printable, and behind it at most `most_zeros`, up to the field's end.
Wrong wrong_name(Bytes field, std::size_t most_zeros) {
    const auto end = std::ranges::find_if_not(field, is_printable);
    const Bytes rest(end, field.end());
    const bool is_padding =
        std::ranges::all_of(rest, [](std::byte byte) { return byte == std::byte{0}; });
    if (end != field.begin() && is_padding && rest.size() <= most_zeros)
        return std::nullopt;
    return "its name is not printable text with nothing but zeros behind it";
}

Wrong wrong_size(std::uint64_t expected, std::size_t found) {
    if (expected == found)
        return std::nullopt;
    return std::format("expected {} bytes of data, found {}", expected, found);
}

/// A file of the VMM's has the name that the VMM gave it, and a table of its HOB its signature. A
/// NUL ends both.
Wrong wrong_name_of_vmm(Bytes name) {
    constexpr std::size_t signature_size = 4;
    const auto end = std::ranges::find(name, std::byte{0});
    const bool is_string = end != name.begin() && name.end() - end == 1;
    const bool is_signature = name.size() == signature_size + 1 && name.back() == std::byte{0};
    if (is_string || is_signature)
        return std::nullopt;
    return "its name is neither a string nor a signature of four bytes, with a NUL behind";
}

Wrong wrong_tag(Bytes data) {
    const auto tag = read_at<event_log::TaggedEvent>(data, 0);
    const std::uint64_t size = tag ? std::uint64_t{tag->size} : 0;
    if (auto wrong = wrong_size(sizeof(event_log::TaggedEvent) + size, data.size()))
        return wrong;
    if (tag->id == event_log::tag_of_ours)
        return std::nullopt;
    return "its tag is not the firmware's";
}

Wrong wrong_blob(const Event& event) {
    const Bytes data = event.data;
    const std::size_t size = data.empty() ? 0 : std::to_integer<std::size_t>(data[0]);
    if (auto wrong = wrong_size(1 + size + sizeof(event_log::BlobRange), data.size()))
        return wrong;
    const Bytes name = data.subspan(1, size);
    const bool is_of_vmm = event.mr_index == event_log::mr_index_of_rtmr(0);
    if (auto wrong = is_of_vmm ? wrong_name_of_vmm(name) : wrong_name(name, 1))
        return wrong;
    const auto range = read_at<event_log::BlobRange>(data, 1 + size);
    if (!range || !GpaRange::make({range->base}, range->length))
        return "its address and size are no range of memory";
    return std::nullopt;
}

Wrong wrong_config(Bytes data) {
    const auto info = read_at<event_log::ConfigInfo>(data, 0);
    const std::uint64_t length = info ? std::uint64_t{info->length} : 0;
    if (auto wrong = wrong_size(sizeof(event_log::ConfigInfo) + length, data.size()))
        return wrong;
    constexpr std::size_t size = sizeof(event_log::ConfigInfo::descriptor);
    return wrong_name(data.first(size), size);
}

bool is_separator_of(const Event& event, std::uint32_t number) {
    const auto value = read_at<le32>(event.data, 0);
    return event.type == EventType::separator && value && *value == number;
}

/// A reason follows an error alone.
Wrong wrong_separator(const Event& event) {
    if (is_separator_of(event, 1))
        return std::nullopt;
    const Bytes data = event.data;
    return wrong_size(sizeof(le32), data.size());
}

} // namespace

std::optional<std::string> wrong_form(const Event& event) {
    switch (event.type) {
    case EventType::platform_firmware_blob2: return wrong_blob(event);
    case EventType::platform_config_flags: return wrong_config(event.data);
    case EventType::separator: return wrong_separator(event);
    case EventType::event_tag: return wrong_tag(event.data);
    case EventType::no_action:
    case EventType::ipl: return std::nullopt;
    }
    return std::nullopt;
}

bool is_type_of_firmware(const Event& event) {
    constexpr std::uint32_t first_of_bundle = 2; // RTMR[2]
    const EventType type = event.type;
    if (event.mr_index >= event_log::mr_index_of_rtmr(first_of_bundle))
        return type == EventType::ipl || type == EventType::event_tag;
    return type == EventType::platform_firmware_blob2 || type == EventType::platform_config_flags ||
           type == EventType::separator;
}

bool has_tag_of_ours(const Event& event) {
    const auto tag = read_at<event_log::TaggedEvent>(event.data, 0);
    return event.type == EventType::event_tag && tag && tag->id == event_log::tag_of_ours;
}

bool is_error_separator(const Event& event) {
    return is_separator_of(event, 1);
}

bool is_good_separator(const Event& event) {
    return is_separator_of(event, 0);
}

std::uint64_t measured_size(const Event& event) {
    if (event.type == EventType::separator)
        return std::min(sizeof(le32), event.data.size());
    const auto description = event_log::describe(event);
    if (!description)
        return event.data.size();
    return description->range ? description->range->size() : description->info.size();
}

} // namespace tdshim::tools
