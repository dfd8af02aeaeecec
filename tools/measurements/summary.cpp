// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/summary.hpp"

#include <algorithm>

#include "tools/common/text.hpp"
#include "tools/measurements/event_form.hpp"

namespace tdshim::tools {
namespace {

std::string_view text_of_bytes(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Printable ASCII, in lines or not.
bool is_text(Bytes bytes) {
    return std::ranges::all_of(text_of_bytes(bytes),
                               [](char c) { return (c >= ' ' && c <= '~') || c == '\n'; });
}

/// Text as it is, anything else by its first bytes.
std::string excerpt(Bytes bytes) {
    constexpr std::size_t longest_text = 256;
    constexpr std::size_t longest_hex = 16;
    if (bytes.empty())
        return "";
    const std::size_t longest = is_text(bytes) ? longest_text : longest_hex;
    const Bytes shown = bytes.first(std::min(bytes.size(), longest));
    const std::string text =
        is_text(bytes) ? "\"" + printable(text_of_bytes(shown)) + "\"" : hex(shown);
    return text + (shown.size() < bytes.size() ? "..." : "");
}

/// 0 and 0xFFFFFFFF say that measuring ended well, 1 that it did not; a reason may follow.
std::string separator_text(Bytes data) {
    const auto value = read_at<le32>(data, 0);
    if (!value)
        return excerpt(data);
    const std::string kind = *value == 1 ? "error" : "end of the firmware's measurements";
    const Bytes reason = data.subspan(sizeof(le32));
    return hex(*value) + " (" + kind + ")" + (reason.empty() ? "" : " " + excerpt(reason));
}

/// Boot loaders log a text with its NUL.
std::string loader_text(Bytes data) {
    if (data.empty() || data.back() != std::byte{0})
        return excerpt(data);
    const Bytes text = data.first(data.size() - 1);
    return excerpt(is_text(text) ? text : data);
}

} // namespace

Summary summarise(const event_log::Event& event) {
    if (event.type == event_log::EventType::ipl)
        return {"", loader_text(event.data)};
    if (event.type == event_log::EventType::separator)
        return {"", separator_text(event.data)};
    const auto description = event_log::describe(event);
    if (!description && has_tag_of_ours(event))
        return {"", excerpt(event.data.subspan(sizeof(event_log::TaggedEvent)))};
    if (!description)
        return {"", excerpt(event.data)};
    const std::string name = printable(description->name);
    if (description->range)
        return {name, std::to_string(description->range->size()) + " bytes at " +
                          text_of(*description->range)};
    return {name, excerpt(description->info)};
}

} // namespace tdshim::tools
