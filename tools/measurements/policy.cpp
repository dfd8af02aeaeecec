// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/policy.hpp"

#include <algorithm>
#include <format>

#include "tools/common/text.hpp"
#include "tools/measurements/event_names.hpp"

namespace tdshim::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view format_name = "tdshim-policy";
constexpr std::uint32_t format_version = 1;
constexpr std::size_t max_events = 1024;

/// Takes members out of JSON objects; an error names the file and the way to the member.
class Members {
  public:
    Members(const Json& object, std::string file, std::string way)
        : object_(object), file_(std::move(file)), way_(std::move(way)) {}

    [[nodiscard]] std::unexpected<Failure> wrong(const std::string& name,
                                                 const std::string& expected) const {
        const auto found = object_.is_object() ? object_.find(name) : object_.end();
        const std::string seen = !object_.is_object()     ? "no object"
                                 : found == object_.end() ? "nothing"
                                                          : printable(found->dump().substr(0, 80));
        return std::unexpected(
            failure(file_, std::format("{}{}: expected {}, found {}", way_, name, expected, seen)));
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

    /// A null or missing member is no value.
    Outcome<std::optional<crypto::Digest>> optional_digest(const std::string& name) const {
        if (!object_.is_object() || !object_.contains(name) || object_.at(name).is_null())
            return std::nullopt;
        return TRY(digest(name));
    }

  private:
    const Json& object_;
    std::string file_;
    std::string way_;
};

std::string key_of(std::uint32_t rtmr) {
    return "rtmr" + std::to_string(rtmr);
}

Outcome<PolicyEvent> parse_event(const Json& json, const std::string& file, std::size_t index) {
    const Members members(json, file, std::format("events[{}].", index));
    const std::string register_name = TRY(members.text("register"));
    PolicyEvent event{.rtmr = 0,
                      .type = static_cast<std::uint32_t>(TRY(members.number("type"))),
                      .description = TRY(members.text("description")),
                      .digest = TRY(members.digest("digest")),
                      .size = TRY(members.number("size")),
                      .origin = TRY(members.text("input"))};
    for (; event.rtmr < measure::rtmr_count; ++event.rtmr)
        if (register_name == key_of(event.rtmr))
            return event;
    return members.wrong("register", "rtmr0 to rtmr3");
}

Json json_of(const std::optional<crypto::Digest>& digest) {
    return digest ? Json(hex(Bytes(*digest))) : Json(nullptr);
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
    Json json{{"format", format_name}, {"version", format_version}, {"mrtd", json_of(policy.mrtd)}};
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
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    const Json json = Json::parse(text, text + bytes.size(), nullptr, false);
    if (json.is_discarded())
        return std::unexpected(failure(file, "is no JSON"));
    const Members members(json, file, "");
    if (TRY(members.text("format")) != format_name)
        return members.wrong("format", "\"" + std::string(format_name) + "\"");
    if (TRY(members.number("version")) != format_version)
        return members.wrong("version", std::to_string(format_version));
    Policy policy;
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
