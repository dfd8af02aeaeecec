// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/policy.hpp"

#include <algorithm>
#include <format>

#include "tools/common/json_input.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/event_names.hpp"

namespace tdshim::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view format_name = "tdshim-policy";
constexpr std::uint32_t format_version = 3;
constexpr std::size_t max_events = 1024;
constexpr std::size_t longest_shown = 80; // characters of somebody's text in a message

constexpr std::array<std::string_view, 13> policy_members{
    "format", "version", "attributes", "xfam",  "mrconfigid", "mrowner", "mrownerconfig",
    "mrtd",   "rtmr0",   "rtmr1",      "rtmr2", "rtmr3",      "events"};
constexpr std::array<std::string_view, 7> event_members{
    "register", "type", "type_name", "description", "digest", "size", "input"};

/// Takes members out of JSON objects; an error names the file and the way to the member.
class Members {
  public:
    Members(const Json& object, std::string file, std::string way)
        : object_(object), file_(std::move(file)), way_(std::move(way)) {}

    [[nodiscard]] std::unexpected<Failure> wrong(const std::string& name,
                                                 const std::string& expected) const {
        const auto found = object_.is_object() ? object_.find(name) : object_.end();
        const std::string seen = !object_.is_object() ? "no object"
                                 : found == object_.end()
                                     ? "nothing"
                                     : printable(found->dump().substr(0, longest_shown));
        return std::unexpected(
            failure(file_, std::format("{}{}: expected {}, found {}", way_, name, expected, seen)));
    }

    /// An error for the first member that is none of `known`.
    Outcome<> only(std::span<const std::string_view> known) const {
        if (object_.is_object())
            for (const auto& [name, value] : object_.items())
                if (!std::ranges::contains(known, name))
                    return std::unexpected(
                        failure(file_, way_ + printable(name.substr(0, longest_shown)) +
                                           ": there is no such member"));
        return {};
    }

    Outcome<std::string> text(const std::string& name) const {
        if (!object_.is_object() || !object_.contains(name) || !object_.at(name).is_string())
            return wrong(name, "a text");
        return object_.at(name).get<std::string>();
    }

    Outcome<std::uint64_t> number(const std::string& name) const {
        if (!object_.is_object() || !object_.contains(name) ||
            !object_.at(name).is_number_unsigned())
            return wrong(name, "a number");
        return object_.at(name).get<std::uint64_t>();
    }

    Outcome<crypto::Digest> digest(const std::string& name) const {
        const std::string hex = TRY(text(name));
        if (const auto value = digest_of_hex(hex))
            return *value;
        return wrong(name, "96 hexadecimal digits");
    }

    Outcome<std::uint32_t> event_type(const std::string& name) const {
        const std::uint64_t type = TRY(number(name));
        if (!std::in_range<std::uint32_t>(type))
            return wrong(name, "a number of 32 bits");
        return static_cast<std::uint32_t>(type);
    }

    /// Null is no value; a member that is not there is an error.
    Outcome<std::optional<crypto::Digest>> optional_digest(const std::string& name) const {
        return optional(name, "96 hexadecimal digits", digest_of_hex);
    }
    Outcome<std::optional<std::uint64_t>> optional_number(const std::string& name) const {
        return optional(name, "0x and at most 16 hexadecimal digits", number_of_hex);
    }

  private:
    template <class T>
    Outcome<std::optional<T>> optional(const std::string& name, const std::string& expected,
                                       std::optional<T> (*parse)(std::string_view)) const {
        const auto member = object_.is_object() ? object_.find(name) : object_.end();
        if (member != object_.end() && member->is_null())
            return std::nullopt;
        if (member != object_.end() && member->is_string())
            if (auto value = parse(member->template get<std::string>()))
                return value;
        return wrong(name, expected + " or null");
    }

    const Json& object_;
    std::string file_;
    std::string way_;
};

std::string key_of(std::uint32_t rtmr) {
    return "rtmr" + std::to_string(rtmr);
}

Outcome<PolicyEvent> parse_event(const Json& json, const std::string& file, std::size_t index) {
    const Members members(json, file, std::format("events[{}].", index));
    TRY(members.only(event_members));
    const std::string register_name = TRY(members.text("register"));
    TRY(members.text("type_name")); // for readers: `type` is what is compared
    PolicyEvent event{.rtmr = 0,
                      .type = TRY(members.event_type("type")),
                      .description = TRY(members.text("description")),
                      .digest = TRY(members.digest("digest")),
                      .size = TRY(members.number("size")),
                      .origin = TRY(members.text("input"))};
    for (; event.rtmr < measure::rtmr_count; ++event.rtmr)
        if (register_name == key_of(event.rtmr))
            return event;
    return members.wrong("register", "rtmr0 to rtmr3");
}

Outcome<> check_version(const Members& members, const std::string& file) {
    const std::uint64_t version = TRY(members.number("version"));
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
    policy.attributes = TRY(members.optional_number("attributes"));
    policy.xfam = TRY(members.optional_number("xfam"));
    policy.mr_config_id = TRY(members.optional_digest("mrconfigid"));
    policy.mr_owner = TRY(members.optional_digest("mrowner"));
    policy.mr_owner_config = TRY(members.optional_digest("mrownerconfig"));
    policy.mrtd = TRY(members.optional_digest("mrtd"));
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        policy.rtmr[rtmr] = TRY(members.optional_digest(key_of(rtmr)));
    if (!json.contains("events") || !json.at("events").is_array() ||
        json.at("events").size() > max_events)
        return members.wrong("events", std::format("a list of at most {} events", max_events));
    for (std::size_t index = 0; const Json& event : json.at("events"))
        policy.events.push_back(TRY(parse_event(event, file, index++)));
    return policy;
}

} // namespace tdshim::tools
