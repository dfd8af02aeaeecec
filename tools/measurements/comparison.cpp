// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/comparison.hpp"

#include <algorithm>
#include <format>

#include "tools/common/text.hpp"
#include "tools/measurements/event_form.hpp"
#include "tools/measurements/summary.hpp"

namespace tdshim::tools {
namespace {

using event_log::Event;

constexpr std::uint32_t firmware_rtmrs = 2; // behind the firmware's events in the others the OS's
constexpr std::string_view mrtd_key = "mrtd";
constexpr std::string_view attributes_key = "attributes";
constexpr std::string_view xfam_key = "xfam";

/// Of a TD's ATTRIBUTES [Intel TDX Module 1.5 ABI, ATTRIBUTES].
constexpr std::uint64_t attribute_debug = 1;

Finding finding_of(const PolicyEvent& wanted, std::string text, std::size_t offset) {
    return {key_of_rtmr(wanted.rtmr), wanted.description, wanted.origin,
            std::move(text) + (wanted.origin.empty() ? "" : "; that is: " + wanted.origin), offset};
}

std::optional<Finding> compare_event(const Event& found, const PolicyEvent& wanted,
                                     std::size_t index) {
    const auto type = static_cast<std::uint32_t>(found.type);
    const std::string description = summarise(found).description;
    const std::string where = place_of(found, index);
    if (type != wanted.type || description != wanted.description)
        return finding_of(wanted,
                          std::format("{}: expected {}, found {}", where,
                                      label(wanted.description, wanted.type),
                                      label(description, type)),
                          found.offset);
    if (found.digest != wanted.digest)
        return finding_of(wanted,
                          std::format("{}: {}: expected digest {}, found {}", where,
                                      label(description, type), hex(Bytes(wanted.digest)),
                                      hex(Bytes(found.digest))),
                          found.offset);
    if (const std::uint64_t size = measured_size(found); size != wanted.size)
        return finding_of(wanted,
                          std::format("{}: {}: expected {} bytes, found {}", where,
                                      label(description, type), wanted.size, size),
                          found.offset);
    return std::nullopt;
}

/// The first difference between the events of one register.
std::optional<Finding> first_difference(const DecodedLog& log, const Policy& policy,
                                        std::uint32_t rtmr) {
    const auto logged = extensions_of(log, rtmr);
    std::size_t index = 0;
    for (const PolicyEvent& wanted : policy.events) {
        if (wanted.rtmr != rtmr)
            continue;
        if (index == logged.size())
            return finding_of(wanted,
                              std::format("{} event {}: {} is missing", name_of_rtmr(rtmr), index,
                                          label(wanted.description, wanted.type)),
                              log.used);
        if (auto difference = compare_event(log.events[logged[index]], wanted, index))
            return difference;
        ++index;
    }
    if (index == logged.size() || rtmr >= firmware_rtmrs)
        return std::nullopt;
    const Event& found = log.events[logged[index]];
    return Finding{
        key_of_rtmr(rtmr), summarise(found).description, "",
        std::format("{}: {} is one more than expected", place_of(found, index), label(found)),
        found.offset};
}

Finding register_finding(std::string key, std::string_view name, std::string_view source,
                         const crypto::Digest& expected, std::string_view by,
                         const crypto::Digest& found) {
    return {std::move(key), "", "",
            std::format("{}: expected {} by {}, found {} in the {}", name, hex(Bytes(expected)), by,
                        hex(Bytes(found)), source)};
}

bool has_register(const std::vector<Finding>& findings, const std::string& key) {
    return std::ranges::contains(findings, key, &Finding::register_key);
}

std::optional<Finding> compare_mrtd(const TdRegisters& td, const Policy& policy) {
    if (!policy.mrtd || *policy.mrtd == td.info.mrtd)
        return std::nullopt;
    Finding finding = register_finding(std::string(mrtd_key), "MRTD", td.source, *policy.mrtd,
                                       "the policy", td.info.mrtd);
    finding.origin = "firmware image";
    finding.text += "; that is: the firmware image";
    return finding;
}

/// What whoever launches the TD gives it beside its memory: an option of shim-measure's each.
struct IdentityField {
    std::string_view key;
    std::string_view name;
    std::optional<crypto::Digest> Policy::* wanted;
    crypto::Digest tdx::TdInfo::* found;
};
constexpr std::array identity_fields{
    IdentityField{"mrconfigid", "MRCONFIGID", &Policy::mr_config_id, &tdx::TdInfo::mr_config_id},
    IdentityField{"mrowner", "MROWNER", &Policy::mr_owner, &tdx::TdInfo::mr_owner},
    IdentityField{"mrownerconfig", "MROWNERCONFIG", &Policy::mr_owner_config,
                  &tdx::TdInfo::mr_owner_config}};

std::optional<Finding> compare_identity(const IdentityField& field, const TdRegisters& td,
                                        const Policy& policy) {
    const auto& wanted = policy.*field.wanted;
    const crypto::Digest& found = td.info.*field.found;
    if (!wanted || *wanted == found)
        return std::nullopt;
    Finding finding = register_finding(std::string(field.key), field.name, td.source, *wanted,
                                       "the policy", found);
    finding.origin = std::format("option --{} of shim-measure", field.key);
    finding.text += "; that is: " + finding.origin;
    return finding;
}

std::optional<Finding> compare_number(std::string_view key, std::string_view name,
                                      std::string_view source,
                                      const std::optional<std::uint64_t>& wanted,
                                      std::uint64_t found) {
    if (!wanted || *wanted == found)
        return std::nullopt;
    std::string origin = std::format("option --{} of shim-measure", key);
    std::string text = std::format("{}: expected {} by the policy, found {} in the {}; that is: {}",
                                   name, hex(*wanted), hex(found), source, origin);
    return Finding{std::string(key), "", std::move(origin), std::move(text)};
}

/// A TD whose registers its VMM could have made whatever they are.
std::optional<Finding> find_debug(const TdRegisters& td, const std::optional<Policy>& policy) {
    const std::uint64_t found = td.info.attributes;
    const std::uint64_t unexpected =
        found & attributes_under_debug & ~(policy ? debug_bits(*policy) : 0);
    if (unexpected == 0)
        return std::nullopt;
    const std::string_view reason =
        (unexpected & attribute_debug) != 0
            ? "has DEBUG (bit 0): the VMM can read and write all memory and registers of this TD, "
              "so that nothing it says of itself proves anything"
            : "has a bit of TUD (7 to 0): a TD under debug is not to be trusted";
    return Finding{std::string(attributes_key), "", "",
                   std::format("ATTRIBUTES: {} in the {} {}", hex(found), td.source, reason)};
}

std::vector<Finding> compare_events(const DecodedLog& log, const Policy& policy) {
    std::vector<Finding> findings;
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (policy.rtmr[rtmr] || rtmr >= firmware_rtmrs)
            if (auto difference = first_difference(log, policy, rtmr))
                findings.push_back(std::move(*difference));
    std::ranges::stable_sort(findings, {}, &Finding::offset);
    return findings;
}

/// Pinned registers that are not `registers`.
template <class Value>
std::vector<Finding> compare_pinned(const Policy& policy, std::string_view source,
                                    const Value& value) {
    std::vector<Finding> findings;
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (const auto& wanted = policy.rtmr[rtmr]; wanted && *wanted != value(rtmr))
            findings.push_back(register_finding(key_of_rtmr(rtmr), name_of_rtmr(rtmr), source,
                                                *wanted, "the policy", value(rtmr)));
    return findings;
}

/// Those of `more` whose register is not in `findings` yet: one reason for each is enough.
void append_unexplained(std::vector<Finding>& findings, std::vector<Finding> more) {
    for (Finding& finding : more)
        if (!has_register(findings, finding.register_key))
            findings.push_back(std::move(finding));
}

/// Why no payload ran, if the log says so: it may agree with its registers all the same. Of a log
/// of another make it is not known how it ends.
std::optional<Finding> find_no_payload(const DecodedLog& log) {
    if (!log.announced)
        return std::nullopt;
    for (std::uint32_t rtmr = 0; rtmr < firmware_rtmrs; ++rtmr) {
        const auto events = extensions_of(log, rtmr);
        const auto has = [&](bool (*is_end)(const Event&)) {
            return std::ranges::any_of(
                events, [&](std::size_t index) { return is_end(log.events[index]); });
        };
        if (has(is_error_separator))
            return Finding{key_of_rtmr(rtmr), "", "",
                           name_of_rtmr(rtmr) + " ends in an error separator: the firmware refused "
                                                "this boot, and no payload ran",
                           log.used};
        if (!has(is_good_separator))
            return Finding{key_of_rtmr(rtmr), "", "",
                           name_of_rtmr(rtmr) + " has no separator: the firmware did not come to "
                                                "its end, and no payload ran",
                           log.used};
    }
    return std::nullopt;
}

/// The values of a prediction are of this firmware's boots, and its logs announce where they end.
/// In a log of another make less is known to be wrong, so that whoever ships the log could choose
/// to have less looked at.
std::optional<Finding> compare_make(const DecodedLog& log) {
    if (log.announced)
        return std::nullopt;
    return Finding{
        "", "event log", "",
        std::format("event log: by \"{}\" and without an announced end, where the policy is "
                    "for a log by \"{}\" with one",
                    log.vendor_info, event_log::vendor_name.data())};
}

/// "RTMR[2] behind the policy's 3 events" of a register of which a policy has the first events
/// alone.
std::string name_behind_events(std::uint32_t rtmr, const std::optional<Policy>& policy) {
    const auto count = policy && !policy->rtmr[rtmr]
                           ? std::ranges::count(policy->events, rtmr, &PolicyEvent::rtmr)
                           : 0;
    return count == 0 ? name_of_rtmr(rtmr)
                      : std::format("{} behind the policy's {} event{}", name_of_rtmr(rtmr), count,
                                    count == 1 ? "" : "s");
}

} // namespace

std::vector<Finding> compare_log(const DecodedLog& log, const Policy& policy) {
    std::vector<Finding> findings = compare_events(log, policy);
    // Events that agree lead to the same register, unless the policy disagrees with itself.
    append_unexplained(findings, compare_pinned(policy, "log", [&](std::uint32_t rtmr) {
                           return log.registers.value(rtmr);
                       }));
    return findings;
}

std::vector<Finding> compare_log(const DecodedLog& log, const TdRegisters& td) {
    std::vector<Finding> findings;
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (log.registers.value(rtmr) != td.info.rtmr[rtmr])
            findings.push_back(register_finding(key_of_rtmr(rtmr), name_of_rtmr(rtmr), td.source,
                                                log.registers.value(rtmr), "the log",
                                                td.info.rtmr[rtmr]));
    return findings;
}

std::vector<Finding> compare_registers(const TdRegisters& td, const Policy& policy) {
    std::vector<Finding> findings;
    if (auto mrtd = compare_mrtd(td, policy))
        findings.push_back(std::move(*mrtd));
    findings.append_range(
        compare_pinned(policy, td.source, [&](std::uint32_t rtmr) { return td.info.rtmr[rtmr]; }));
    return findings;
}

std::vector<Finding> compare_attributes(const TdRegisters& td,
                                        const std::optional<Policy>& policy) {
    std::vector<Finding> findings;
    const auto add = [&](std::optional<Finding> finding) {
        if (finding)
            findings.push_back(std::move(*finding));
    };
    add(find_debug(td, policy));
    if (policy) {
        add(compare_number(attributes_key, "ATTRIBUTES", td.source, policy->attributes,
                           td.info.attributes));
        add(compare_number(xfam_key, "XFAM", td.source, policy->xfam, td.info.xfam));
        for (const IdentityField& field : identity_fields)
            add(compare_identity(field, td, *policy));
    }
    return findings;
}

NotCompared not_compared(const std::optional<TdRegisters>& td,
                         const std::optional<Policy>& policy) {
    NotCompared result;
    const auto add = [&](RegisterName name, bool is_pinned) {
        if (!is_pinned)
            result.with_policy.push_back(name);
        if (!td)
            result.with_td.push_back(std::move(name));
    };
    add({std::string(attributes_key), "ATTRIBUTES"}, policy && policy->attributes);
    add({std::string(xfam_key), "XFAM"}, policy && policy->xfam);
    for (const IdentityField& field : identity_fields)
        add({std::string(field.key), std::string(field.name)}, policy && (*policy).*field.wanted);
    // No policy has a member for it: whoever lets a service TD serve this one looks at it.
    if (td && td->info.servtd_hash != crypto::Digest{})
        add({"servtd_hash", "SERVTD_HASH"}, false);
    add({std::string(mrtd_key), "MRTD"}, policy && policy->mrtd);
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        add({key_of_rtmr(rtmr), name_behind_events(rtmr, policy)}, policy && policy->rtmr[rtmr]);
    return result;
}

std::vector<Finding> differences(const DecodedLog& log, const LogCoverage& coverage,
                                 const std::optional<TdRegisters>& td,
                                 const std::optional<Policy>& policy) {
    std::vector<Finding> findings = coverage.findings;
    if (auto end = find_no_payload(log); end && findings.empty())
        findings.push_back(std::move(*end));
    if (policy) {
        if (auto make = compare_make(log))
            findings.push_back(std::move(*make));
        findings.append_range(compare_events(log, *policy));
    }
    std::ranges::stable_sort(findings, {}, &Finding::offset);
    if (td && policy)
        if (auto mrtd = compare_mrtd(*td, *policy))
            findings.insert(findings.begin(), std::move(*mrtd));
    if (td)
        findings.insert_range(findings.begin(), compare_attributes(*td, policy));
    if (policy)
        append_unexplained(findings, compare_log(log, *policy));
    if (td)
        findings.append_range(compare_log(log, *td));
    if (td && policy)
        append_unexplained(findings, compare_registers(*td, *policy));
    return findings;
}

std::uint64_t debug_bits(const Policy& policy) {
    return policy.attributes.value_or(0) & attributes_under_debug;
}

} // namespace tdshim::tools
