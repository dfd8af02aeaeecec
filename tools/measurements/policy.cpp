// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/policy.hpp"

#include <algorithm>
#include <format>
#include <limits>

#include "tools/common/json_input.hpp"
#include "tools/common/json_members.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/event_names.hpp"

namespace tdshim::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view format_name = "tdshim-policy";
constexpr std::uint32_t format_version = 3;
constexpr std::size_t max_events = 1024;

constexpr std::array<std::string_view, 13> policy_members{
    "format", "version", "attributes", "xfam",  "mrconfigid", "mrowner", "mrownerconfig",
    "mrtd",   "rtmr0",   "rtmr1",      "rtmr2", "rtmr3",      "events"};
constexpr std::array<std::string_view, 7> event_members{
    "register", "type", "type_name", "description", "digest", "size", "input"};

Outcome<crypto::Digest> digest(const Members& members, const std::string& name) {
    const std::string hex = TRY(members.text(name));
    if (const auto value = digest_of_hex(hex))
        return *value;
    return members.wrong(name, "96 hexadecimal digits");
}

/// Null is no value; a member that is not there is an error.
template <class T>
Outcome<std::optional<T>> optional(const Members& members, const std::string& name,
                                   const std::string& expected,
                                   std::optional<T> (*parse)(std::string_view)) {
    const Json* const member = members.find(name);
    if (member != nullptr && member->is_null())
        return std::nullopt;
    if (member != nullptr && member->is_string())
        if (auto value = parse(member->get<std::string>()))
            return value;
    return members.wrong(name, expected + " or null");
}
Outcome<std::optional<crypto::Digest>> optional_digest(const Members& members,
                                                       const std::string& name) {
    return optional(members, name, "96 hexadecimal digits", digest_of_hex);
}
Outcome<std::optional<std::uint64_t>> optional_number(const Members& members,
                                                      const std::string& name) {
    return optional(members, name, "0x and at most 16 hexadecimal digits", number_of_hex);
}

std::string key_of(std::uint32_t rtmr) {
    return "rtmr" + std::to_string(rtmr);
}

Outcome<PolicyEvent> parse_event(const Json& json, const std::string& file, std::size_t index) {
    const Members members(json, file, std::format("events[{}].", index));
    TRY(members.only(event_members));
    const std::string register_name = TRY(members.text("register"));
    TRY(members.text("type_name")); // for readers: `type` is what is compared
    PolicyEvent event{.rtmr = 0,
                      .type = static_cast<std::uint32_t>(
                          TRY(members.number("type", std::numeric_limits<std::uint32_t>::max()))),
                      .description = TRY(members.text("description")),
                      .digest = TRY(digest(members, "digest")),
                      .size =
                          TRY(members.number("size", std::numeric_limits<std::uint64_t>::max())),
                      .origin = TRY(members.text("input"))};
    for (; event.rtmr < measure::rtmr_count; ++event.rtmr)
        if (register_name == key_of(event.rtmr))
            return event;
    return members.wrong("register", "rtmr0 to rtmr3");
}

Outcome<> check_version(const Members& members, const std::string& file) {
    const std::uint64_t version =
        TRY(members.number("version", std::numeric_limits<std::uint64_t>::max()));
    if (version != format_version)
        return std::unexpected(
            failure(file, std::format("version: expected {}, found {}: make the policy again with "
                                      "shim-measure",
                                      format_version, version)));
    return {};
}

Json json_of(const std::optional<crypto::Digest>& digest) {
    return digest ? Json(hex(Bytes(*digest))) : Json(nullptr);
}

Json json_of(const std::optional<std::uint64_t>& number) {
    return number ? Json(hex(*number)) : Json(nullptr);
}

} // namespace

std::optional<crypto::Digest> digest_of_hex(std::string_view text) {
    crypto::Digest digest{};
    const auto bytes = bytes_of_hex(text);
    if (!bytes || bytes->size() != digest.size())
        return std::nullopt;
    std::ranges::copy(*bytes, digest.begin());
    return digest;
}

PolicyEvent policy_event_of(const PredictedEvent& event) {
    return {.rtmr = event.measurement.rtmr,
            .type = static_cast<std::uint32_t>(event.measurement.type),
            .description = event.description,
            .digest = event.measurement.digest,
            .size = event.measurement.hashed,
            .origin = event.origin};
}

Json json_of(const Policy& policy) {
    Json json{{"format", format_name},
              {"version", format_version},
              {"attributes", json_of(policy.attributes)},
              {"xfam", json_of(policy.xfam)},
              {"mrconfigid", json_of(policy.mr_config_id)},
              {"mrowner", json_of(policy.mr_owner)},
              {"mrownerconfig", json_of(policy.mr_owner_config)},
              {"mrtd", json_of(policy.mrtd)}};
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        json[key_of(rtmr)] = json_of(policy.rtmr[rtmr]);
    json["events"] = Json::array();
    for (const PolicyEvent& event : policy.events)
        json["events"].push_back({{"register", key_of(event.rtmr)},
                                  {"type", event.type},
                                  {"type_name", event_type_name(event.type)},
                                  {"description", event.description},
                                  {"digest", hex(Bytes(event.digest))},
                                  {"size", event.size},
                                  {"input", event.origin}});
    return json;
}

Outcome<Policy> parse_policy(const std::string& file, Bytes bytes) {
    const Json json = TRY(parse_json(file, bytes));
    const Members members(json, file, "");
    if (TRY(members.text("format")) != format_name)
        return members.wrong("format", "\"" + std::string(format_name) + "\"");
    TRY(check_version(members, file));
    TRY(members.only(policy_members));
    Policy policy;
    policy.attributes = TRY(optional_number(members, "attributes"));
    policy.xfam = TRY(optional_number(members, "xfam"));
    policy.mr_config_id = TRY(optional_digest(members, "mrconfigid"));
    policy.mr_owner = TRY(optional_digest(members, "mrowner"));
    policy.mr_owner_config = TRY(optional_digest(members, "mrownerconfig"));
    policy.mrtd = TRY(optional_digest(members, "mrtd"));
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        policy.rtmr[rtmr] = TRY(optional_digest(members, key_of(rtmr)));
    if (!json.contains("events") || !json.at("events").is_array() ||
        json.at("events").size() > max_events)
        return members.wrong("events", std::format("a list of at most {} events", max_events));
    for (std::size_t index = 0; const Json& event : json.at("events"))
        policy.events.push_back(TRY(parse_event(event, file, index++)));
    return policy;
}

} // namespace tdshim::tools
