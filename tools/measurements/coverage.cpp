// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/coverage.hpp"

#include <algorithm>
#include <format>
#include <optional>
#include <set>

#include "shim/measure/descriptors.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/configuration_order.hpp"
#include "tools/measurements/contents_names.hpp"
#include "tools/measurements/event_form.hpp"
#include "tools/measurements/event_names.hpp"

namespace tdshim::tools {
namespace {

using event_log::Event;
using event_log::EventType;

constexpr std::uint32_t first_rtmr_of_os = 2;
constexpr EventType compact_hash{0xC}; // the OS's. Others' tagged events have any digest

/// Names that td-shim has: the digest of such an event is, or can be, that of its content alone.
constexpr std::array names_of_td_shim{measure::descriptor::td_hob, measure::descriptor::parameter,
                                      measure::descriptor::svn, measure::descriptor::secure_policy,
                                      measure::descriptor::secure_authority};

Covered covered_of_config(const Event& event, bool is_of_td_shim) {
    const auto info = event_log::describe(event);
    const bool is_whole =
        info && info->info.size() == event.data.size() - sizeof(event_log::ConfigInfo);
    const bool may_be_bare =
        !is_of_td_shim || (info && std::ranges::contains(names_of_td_shim, info->name));
    return is_whole && may_be_bare && crypto::sha384(info->info) == event.digest ? Covered::content
                                                                                 : Covered::other;
}

/// Whether the digest is of the data, or what else of it.
Covered compared(const Event& event, bool is_of_td_shim) {
    constexpr std::size_t value_size = sizeof(le32);
    if (crypto::sha384(event.data) == event.digest)
        return Covered::data;
    if (event.type == EventType::separator)
        return event.data.size() > value_size &&
                       crypto::sha384(event.data.first(value_size)) == event.digest
                   ? Covered::value
                   : Covered::other;
    if (event.type == EventType::platform_config_flags)
        return covered_of_config(event, is_of_td_shim);
    const bool has_own_digest =
        event.type == EventType::ipl || event.type == compact_hash || has_tag_of_ours(event);
    return has_own_digest ? Covered::other : Covered::nothing;
}

Covered covered_by_digest(const Event& event, bool is_of_td_shim) {
    if (!extends_register(event))
        return Covered::nothing;
    const Covered covered = compared(event, is_of_td_shim);
    return covered == Covered::other && !is_of_td_shim ? Covered::nothing : covered;
}

/// What the OS adds behind the firmware's events, and what only the firmware could have.
class Ends {
  public:
    Ends(const DecodedLog& log, LogCoverage& result) : log_(log), result_(result) {}

    void mark_appended(const NamedEvents& named) {
        for (std::uint32_t rtmr = first_rtmr_of_os; rtmr < measure::rtmr_count; ++rtmr) {
            const auto events = extensions_of(log_, rtmr);
            for (std::size_t i = named.counts[rtmr]; i < events.size(); ++i) {
                result_.events[events[i]].is_appended = true;
                ++result_.appended[rtmr];
            }
        }
    }

    void check_announced() {
        if (!log_.announced)
            return;
        const std::size_t announced = *log_.announced;
        const bool is_an_end =
            announced == log_.used || std::ranges::contains(log_.events, announced, &Event::offset);
        if (!is_an_end)
            result_.findings.push_back(
                {"", "", "event log",
                 std::format("event log: its header announces {} bytes, its events have {}",
                             announced, log_.used),
                 0});
        for (const Event& event : log_.events)
            if (is_an_end && event.offset >= announced && !is_of_os(event))
                result_.findings.push_back(
                    {register_key(event.mr_index), label(event), "",
                     std::format("{} at offset {}: {} is behind the end that the log announces, "
                                 "where the OS appends to RTMR[2] and RTMR[3] only",
                                 register_name(event.mr_index), hex(event.offset), label(event)),
                     event.offset});
    }

  private:
    static bool is_of_os(const Event& event) {
        return event.mr_index >= event_log::mr_index_of_rtmr(first_rtmr_of_os);
    }
    const DecodedLog& log_;
    LogCoverage& result_;
};

void find_other_data(const DecodedLog& log, LogCoverage& result) {
    std::array<std::size_t, event_log::max_mr_index + 1> indices{};
    for (std::size_t i = 0; i < log.events.size(); ++i) {
        const Event& event = log.events[i];
        if (!extends_register(event))
            continue;
        const std::size_t index = indices[event.mr_index]++;
        if (result.events[i].covered == Covered::other)
            result.findings.push_back(
                {register_key(event.mr_index), label(event), "",
                 std::format("{}: {} is not what was measured: its digest is of other data",
                             place_of(event, index), label(event)),
                 event.offset});
    }
}

/// Events of the firmware's that no firmware of ours wrote so. One finding for an event is enough.
class Forms {
  public:
    Forms(const DecodedLog& log, LogCoverage& result) : log_(log), result_(result) {
        for (const Finding& finding : result.findings)
            explained_.insert(finding.offset);
    }

    void check() {
        std::array<std::size_t, event_log::max_mr_index + 1> indices{};
        for (std::size_t i = 0; i < log_.events.size(); ++i) {
            const Event& event = log_.events[i];
            if (!extends_register(event)) {
                check_bare(event);
                continue;
            }
            const std::size_t index = indices[event.mr_index]++;
            if (!result_.events[i].is_appended)
                check(event, index);
        }
    }

  private:
    /// Nothing holds such an event to anything, and a reader takes what it says for the firmware's,
    /// or, behind the announced end, for the OS's, which appends what it extends.
    void check_bare(const Event& event) {
        result_.findings.push_back(
            {"", label(event), "",
             std::format("event at offset {}: {} extends no register, and nobody writes such an "
                         "event behind the log's header",
                         hex(event.offset), label(event)),
             event.offset});
    }

    void check(const Event& event, std::size_t index) {
        const auto wrong = of_other_type(event) ? other_type : wrong_form(event);
        if (wrong && !explained_.contains(event.offset))
            result_.findings.push_back({register_key(event.mr_index), label(event), "",
                                        std::format("{}: {} is not as the firmware writes it: {}",
                                                    place_of(event, index), label(event), *wrong),
                                        event.offset});
    }

    /// Of td-shim's logs the types are not all known.
    [[nodiscard]] bool of_other_type(const Event& event) const {
        return log_.announced && !is_type_of_firmware(event);
    }

    const std::optional<std::string> other_type = "it has no event of that type there";
    const DecodedLog& log_;
    LogCoverage& result_;
    std::set<std::size_t> explained_; ///< offsets of events that have a finding
};

std::vector<LogPart> parts_of_blob(const Event& event, std::size_t data, bool is_named) {
    const std::size_t name = 1 + std::to_integer<std::size_t>(event.data[0]);
    std::vector<LogPart> parts;
    if (!is_named)
        parts.push_back({"name", data, name});
    parts.push_back({"address", data + name, sizeof(le64)});
    parts.push_back({"size", data + name + sizeof(le64), sizeof(le64)});
    const std::size_t end = name + sizeof(event_log::BlobRange);
    if (end < event.data.size())
        parts.push_back({"data", data + end, event.data.size() - end});
    return parts;
}

std::vector<LogPart> parts_of_data(const Event& event, std::size_t data,
                                   const EventCoverage& coverage) {
    switch (coverage.covered) {
    case Covered::data: return {};
    case Covered::content:
        if (coverage.is_named)
            return {};
        return {{"name", data, sizeof(event_log::ConfigInfo::descriptor)}};
    case Covered::value: return {{"reason", data + sizeof(le32), event.data.size() - sizeof(le32)}};
    case Covered::nothing:
        if (const auto blob = event_log::describe(event); blob && blob->range)
            return parts_of_blob(event, data, coverage.is_named);
        break;
    case Covered::other: break;
    }
    if (event.data.empty())
        return {};
    return {{"data", data, event.data.size()}};
}

} // namespace

LogCoverage coverage_of(const DecodedLog& log) {
    LogCoverage result;
    for (const Event& event : log.events)
        result.events.push_back({.covered = covered_by_digest(event, log.is_of_td_shim)});
    find_other_data(log, result);
    if (!log.is_of_td_shim)
        return result;
    const NamedEvents named = named_by_contents(log, result.events);
    for (const std::size_t index : named.events)
        result.events[index].is_named = true;
    result.findings.append_range(named.findings);
    Ends ends(log, result);
    ends.mark_appended(named);
    ends.check_announced();
    Forms(log, result).check();
    if (auto misplaced = find_misplaced_configuration(log);
        misplaced && log.announced &&
        !std::ranges::contains(result.findings, misplaced->offset, &Finding::offset))
        result.findings.push_back(std::move(*misplaced));
    std::ranges::stable_sort(result.findings, {}, &Finding::offset);
    return result;
}

std::vector<LogPart> parts_not_covered(const Event& event, const EventCoverage& coverage) {
    const std::size_t data = event.offset + sizeof(event_log::EventHeader);
    if (!extends_register(event))
        return {{"event", event.offset, sizeof(event_log::EventHeader) + event.data.size()}};
    std::vector<LogPart> parts;
    if (!coverage.is_named)
        parts.push_back({"type", event.offset + offsetof(event_log::EventHeader, type),
                         sizeof(event_log::EventHeader::type)});
    if (coverage.is_appended && has_tag_of_ours(event)) // by another tag it has any digest
        parts.push_back({"tag", data, sizeof(event_log::TaggedEvent::id)});
    parts.append_range(parts_of_data(event, data, coverage));
    return parts;
}

std::string_view word_of(Covered covered) {
    switch (covered) {
    case Covered::data: return "data";
    case Covered::content: return "content";
    case Covered::value: return "value";
    case Covered::nothing:
    case Covered::other: return "nothing";
    }
    return "nothing";
}

} // namespace tdshim::tools
