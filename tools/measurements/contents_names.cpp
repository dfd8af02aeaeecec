// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/contents_names.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <optional>

#include "shim/measure/descriptors.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/event_form.hpp"

namespace tdshim::tools {
namespace {

namespace descriptor = measure::descriptor;
using event_log::Event;
using event_log::EventType;

constexpr std::uint32_t operating_system = 1; // RTMR[1]
constexpr std::string_view separator_word = "EV_SEPARATOR";

struct Kind {
    std::string_view name;
    EventType type;
    Covered covered;
};
constexpr std::array kinds{
    Kind{descriptor::contents, EventType::platform_config_flags, Covered::data},
    Kind{descriptor::svn, EventType::platform_config_flags, Covered::data},
    Kind{descriptor::payload, EventType::platform_firmware_blob2, Covered::nothing},
    Kind{descriptor::os_release, EventType::platform_firmware_blob2, Covered::nothing},
    Kind{descriptor::bundle, EventType::platform_config_flags, Covered::data},
    Kind{descriptor::initrd, EventType::platform_firmware_blob2, Covered::nothing},
    Kind{descriptor::parameter, EventType::platform_config_flags, Covered::content},
    Kind{separator_word, EventType::separator, Covered::data},
};

const Kind* kind_of(std::string_view name) {
    const auto* const found = std::ranges::find(kinds, name, &Kind::name);
    return found == kinds.end() ? nullptr : found;
}

/// The name with its NUL, and behind it nothing but the padding of its field: nobody may hide
/// anything there.
bool has_name(EventType type, Bytes data, std::string_view name) {
    if (type == EventType::separator)
        return name == separator_word && data.size() == sizeof(le32);
    const bool is_blob = type == EventType::platform_firmware_blob2;
    const std::size_t start = is_blob ? 1 : 0;
    const std::size_t size = is_blob ? name.size() + 1 : sizeof(event_log::ConfigInfo::descriptor);
    if (data.size() < std::max(start + size, sizeof(event_log::ConfigInfo)))
        return false;
    if (is_blob && (data[0] != std::byte(static_cast<unsigned char>(size)) ||
                    data.size() != start + size + sizeof(event_log::BlobRange)))
        return false;
    const Bytes field = data.subspan(start, size);
    return std::ranges::equal(field.first(name.size()), bytes_of(name)) &&
           std::ranges::all_of(field.subspan(name.size()),
                               [](std::byte byte) { return byte == std::byte{0}; });
}

/// The events of RTMR[1] and what td_contents says of them.
class Check {
  public:
    Check(const DecodedLog& log, const std::vector<EventCoverage>& coverage)
        : log_(log), coverage_(coverage), events_(extensions_of(log, operating_system)) {}

    NamedEvents run() {
        const auto contents = find_contents();
        if (log_.announced && !ends_once())
            return std::move(result_);
        if (!contents && log_.announced && !events_.empty() && !may_lack_contents())
            differs(0, "RTMR[1]: no event is a td_contents that its digest covers, so that nothing "
                       "says what the others are");
        if (contents && parse(text_at(*contents), *contents != 0) && compare_names())
            compare_counts();
        return std::move(result_);
    }

  private:
    [[nodiscard]] const Event& event(std::size_t index) const {
        return log_.events[events_[index]];
    }
    [[nodiscard]] Covered covered(std::size_t index) const {
        return coverage_[events_[index]].covered;
    }

    /// An event whose data is wrong is a finding already; it has the name that it has.
    [[nodiscard]] bool is(std::size_t index, const Kind& kind) const {
        const bool is_of_td_shim =
            kind.name == descriptor::svn && covered(index) == Covered::content;
        return event(index).type == kind.type &&
               has_name(kind.type, event(index).data, kind.name) &&
               (covered(index) == kind.covered || covered(index) == Covered::other ||
                is_of_td_shim);
    }

    /// The first event; with td-shim's order of events SVN and separator stand before it. It is
    /// known by its data: nobody may hide it by another type.
    [[nodiscard]] std::optional<std::size_t> find_contents() const {
        constexpr std::size_t last_place = 2;
        for (std::size_t i = 0; i < std::min(events_.size(), last_place + 1); ++i)
            if (covered(i) == Covered::data &&
                has_name(EventType::platform_config_flags, event(i).data, descriptor::contents))
                return i;
        return std::nullopt;
    }

    /// Whether nothing is behind an error separator: any file of the same four bytes has its
    /// digest.
    bool ends_once() {
        const auto error = std::ranges::find_if(
            events_, [&](std::size_t index) { return is_error_separator(log_.events[index]); });
        const auto place = static_cast<std::size_t>(error - events_.begin());
        if (place + 1 >= events_.size())
            return true;
        return differs(place + 1,
                       std::format("{}: {} is behind the end of a boot that was refused",
                                   place_of(event(place + 1), place + 1), label(event(place + 1))));
    }

    /// A boot that td-shim has, in td-shim's order, or the beginning of one that was refused.
    [[nodiscard]] bool may_lack_contents() const {
        const std::vector<std::string_view> svn{descriptor::svn};
        const std::vector<std::string_view> payload{descriptor::payload};
        for (const auto& signer : {std::vector<std::string_view>{}, svn})
            for (const auto& file : {std::vector<std::string_view>{}, payload}) {
                std::vector<std::string_view> executable = signer;
                executable.append_range(file);
                executable.push_back(separator_word);
                std::vector<std::string_view> kernel = signer;
                kernel.push_back(separator_word);
                kernel.append_range(file);
                kernel.push_back(descriptor::parameter);
                if (has_events(executable) || has_events(kernel))
                    return true;
            }
        return false;
    }

    /// Whether they are these, or begin so and end in an error separator.
    [[nodiscard]] bool has_events(const std::vector<std::string_view>& names) const {
        const bool is_refused = !events_.empty() && is_error_separator(event(events_.size() - 1));
        const std::size_t count = events_.size() - (is_refused ? 1 : 0);
        if (is_refused ? count > names.size() : count != names.size())
            return false;
        for (std::size_t i = 0; i < count; ++i)
            if (!is(i, *kind_of(names[i])))
                return false;
        return true;
    }

    [[nodiscard]] std::string_view text_at(std::size_t index) const {
        const Bytes text = event(index).data.subspan(sizeof(event_log::ConfigInfo));
        return {reinterpret_cast<const char*>(text.data()), text.size()};
    }

    /// Makes the list of the events that the register is to have.
    bool parse(std::string_view text, bool has_order_of_td_shim) {
        if (!has_order_of_td_shim)
            expected_.push_back(descriptor::contents);
        while (!text.empty()) {
            const std::string_view word = text.substr(0, text.find(' '));
            if (!take(word))
                return differs(0, std::format("td_contents has \"{}\", which nothing of the "
                                              "firmware's is called",
                                              printable(word)));
            text.remove_prefix(std::min(text.size(), word.size() + 1));
        }
        if (has_order_of_td_shim) {
            const bool has_svn = !expected_.empty() && expected_.front() == descriptor::svn;
            expected_.insert(expected_.begin() + (has_svn ? 1 : 0),
                             {separator_word, descriptor::contents});
        } else {
            expected_.push_back(separator_word);
        }
        return true;
    }

    bool take(std::string_view word) {
        constexpr std::string_view count = "rtmr2=";
        const std::string_view name = word.substr(0, word.find('='));
        if (name == "rtmr2" || name == "rtmr3") {
            const auto [end, error] =
                std::from_chars(word.data() + std::min(word.size(), count.size()),
                                word.data() + word.size(), result_.counts[name == "rtmr2" ? 2 : 3]);
            return error == std::errc{} && end == word.data() + word.size();
        }
        const Kind* const kind = kind_of(name);
        const bool is_payload = name == descriptor::payload; // which alone has more to say
        if (kind == nullptr || kind->type == EventType::separator || name == descriptor::contents ||
            is_payload == (name == word))
            return false;
        expected_.push_back(kind->name);
        return true;
    }

    /// Whether all is there. A boot that was refused has its error separator instead of the rest.
    bool compare_names() {
        for (std::size_t i = 0; i < std::max(expected_.size(), events_.size()); ++i) {
            if (i < events_.size() && is_error_separator(event(i)))
                return false;
            const std::string said = i < expected_.size() ? std::string(expected_[i]) : "no more";
            if (i == events_.size())
                return differs(i, std::format("RTMR[1] event {}: td_contents says {}, which is "
                                              "missing",
                                              i, said));
            if (i >= expected_.size() || !is(i, *kind_of(expected_[i])))
                return differs(i, std::format("{}: td_contents says {}, found {}",
                                              place_of(event(i), i), said, label(event(i))));
            result_.events.push_back(events_[i]);
        }
        return true;
    }

    void compare_counts() {
        for (std::uint32_t rtmr = 2; rtmr < measure::rtmr_count; ++rtmr) {
            const std::size_t found = extensions_of(log_, rtmr).size();
            if (found < result_.counts[rtmr])
                result_.findings.push_back(
                    {key_of_rtmr(rtmr), "", "",
                     std::format("{}: td_contents says {} events of the firmware's, found {}",
                                 name_of_rtmr(rtmr), result_.counts[rtmr], found),
                     log_.used});
        }
    }

    bool differs(std::size_t index, std::string text) {
        const bool is_there = index < events_.size();
        result_.findings.push_back({key_of_rtmr(operating_system),
                                    is_there ? label(event(index)) : "", "", std::move(text),
                                    is_there ? event(index).offset : log_.used});
        return false;
    }

    const DecodedLog& log_;
    const std::vector<EventCoverage>& coverage_;
    std::vector<std::size_t> events_;
    std::vector<std::string_view> expected_;
    NamedEvents result_;
};

} // namespace

NamedEvents named_by_contents(const DecodedLog& log, const std::vector<EventCoverage>& events) {
    return Check(log, events).run();
}

} // namespace tdshim::tools
