// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/comparison.hpp"

#include <algorithm>
#include <format>

#include "tools/common/text.hpp"
#include "tools/measurements/event_names.hpp"
#include "tools/measurements/summary.hpp"

namespace tdshim::tools {
namespace {

constexpr std::uint32_t firmware_rtmrs = 2; // the others are the operating system's

std::string key_of(std::uint32_t rtmr) {
    return register_key(event_log::mr_index_of_rtmr(rtmr));
}
std::string name_of(std::uint32_t rtmr) {
    return register_name(event_log::mr_index_of_rtmr(rtmr));
}

/// "td_payload", or the type's name for an event without a description.
std::string label(const std::string& description, std::uint32_t type) {
    return description.empty() ? event_type_name(type) : description;
}

bool extends(const event_log::Event& event, std::uint32_t rtmr) {
    return event.mr_index == event_log::mr_index_of_rtmr(rtmr) &&
           event.type != event_log::EventType::no_action;
}

struct Located {
    std::size_t offset = 0; ///< in the log; its end for an event that is missing
    Finding finding;
};

Finding finding_of(const PolicyEvent& wanted, std::string text) {
    return {key_of(wanted.rtmr), wanted.description, wanted.origin,
            std::move(text) + (wanted.origin.empty() ? "" : "; that is: " + wanted.origin)};
}

/// The first difference between the events of one register.
std::optional<Located> first_difference(const DecodedLog& log, const Policy& policy,
                                        std::uint32_t rtmr) {
    std::vector<const event_log::Event*> logged;
    for (const event_log::Event& event : log.events)
        if (extends(event, rtmr))
            logged.push_back(&event);
    std::size_t index = 0;
    for (const PolicyEvent& wanted : policy.events) {
        if (wanted.rtmr != rtmr)
            continue;
        if (index == logged.size())
            return Located{
                log.used,
                finding_of(wanted, std::format("{} event {}: {} is missing", name_of(rtmr), index,
                                               label(wanted.description, wanted.type)))};
        const event_log::Event& found = *logged[index];
        const auto type = static_cast<std::uint32_t>(found.type);
        const std::string description = summarise(found).description;
        const std::string where =
            std::format("{} event {} at offset {}", name_of(rtmr), index, hex(found.offset));
        if (type != wanted.type || description != wanted.description)
            return Located{found.offset,
                           finding_of(wanted, std::format("{}: expected {}, found {}", where,
                                                          label(wanted.description, wanted.type),
                                                          label(description, type)))};
        if (found.digest != wanted.digest)
            return Located{
                found.offset,
                finding_of(wanted, std::format("{}: {}: expected digest {}, found {}", where,
                                               label(description, type), hex(Bytes(wanted.digest)),
                                               hex(Bytes(found.digest))))};
        ++index;
    }
    if (index == logged.size())
        return std::nullopt;
    const event_log::Event& found = *logged[index];
    const std::string description = summarise(found).description;
    return Located{found.offset,
                   {key_of(rtmr), description, "",
                    std::format("{} event {} at offset {}: {} is one more than expected",
                                name_of(rtmr), index, hex(found.offset),
                                label(description, static_cast<std::uint32_t>(found.type)))}};
}

Finding register_finding(const std::string& key, const std::string& name, std::string_view source,
                         const crypto::Digest& expected, std::string_view by,
                         const crypto::Digest& found) {
    return {key, "", "",
            std::format("{}: expected {} by {}, found {} in the {}", name, hex(Bytes(expected)), by,
                        hex(Bytes(found)), source)};
}

} // namespace

std::vector<Finding> compare_log(const DecodedLog& log, const Policy& policy) {
    std::vector<Located> located;
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (policy.rtmr[rtmr])
            if (auto difference = first_difference(log, policy, rtmr))
                located.push_back(std::move(*difference));
    std::ranges::sort(located, {}, &Located::offset);
    std::vector<Finding> findings;
    for (Located& difference : located)
        findings.push_back(std::move(difference.finding));
    // Events that agree lead to the same register, unless the policy disagrees with itself.
    for (std::uint32_t rtmr = 0; findings.empty() && rtmr < measure::rtmr_count; ++rtmr)
        if (const auto& wanted = policy.rtmr[rtmr]; wanted && *wanted != log.registers.value(rtmr))
            findings.push_back(register_finding(key_of(rtmr), name_of(rtmr), "log", *wanted,
                                                "the policy", log.registers.value(rtmr)));
    return findings;
}

std::vector<Finding> compare_log(const DecodedLog& log, const TdRegisters& td) {
    std::vector<Finding> findings;
    for (std::uint32_t rtmr = 0; rtmr < firmware_rtmrs; ++rtmr)
        if (log.registers.value(rtmr) != td.info.rtmr[rtmr])
            findings.push_back(register_finding(key_of(rtmr), name_of(rtmr), td.source,
                                                log.registers.value(rtmr), "the log",
                                                td.info.rtmr[rtmr]));
    return findings;
}

std::vector<Finding> compare_registers(const TdRegisters& td, const Policy& policy) {
    std::vector<Finding> findings;
    if (policy.mrtd && *policy.mrtd != td.info.mrtd) {
        findings.push_back(
            register_finding("mrtd", "MRTD", td.source, *policy.mrtd, "the policy", td.info.mrtd));
        findings.back().origin = "firmware image";
        findings.back().text += "; that is: the firmware image";
    }
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (const auto& wanted = policy.rtmr[rtmr]; wanted && *wanted != td.info.rtmr[rtmr])
            findings.push_back(register_finding(key_of(rtmr), name_of(rtmr), td.source, *wanted,
                                                "the policy", td.info.rtmr[rtmr]));
    return findings;
}

} // namespace tdshim::tools
