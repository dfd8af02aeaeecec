// SPDX-License-Identifier: Apache-2.0
//
// tools/measurements/policy.hpp: a policy with a member too few, too many, twice or misspelt is
// refused, for it would pin less than whoever wrote it believes.

#include <format>

#include <catch2/catch_test_macros.hpp>

#include "tests/unit/boot_log.hpp"

namespace tdshim::tools { namespace {

using namespace tdshim::test;

using Json = nlohmann::ordered_json;

Json good_policy() {
    Policy policy = bundle_boot().policy();
    policy.attributes = 0xFEDC'BA98'7654'3210;
    policy.mr_owner = crypto::Digest{std::byte{7}};
    return json_of(policy);
}

Outcome<Policy> parse(const std::string& text) {
    return parse_policy("p.json", bytes_of(std::string_view(text)));
}

void require_refused(const std::string& text, const std::string& reason) {
    const auto policy = parse(text);
    REQUIRE_FALSE(policy.has_value());
    CHECK(policy.error().text == "p.json: " + reason);
}

/// The first `from` in the policy's text is `to`.
std::string replaced(std::string_view from, std::string_view to) {
    std::string text = good_policy().dump();
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

TEST_CASE("a policy that was written is read again as it was", "[policy]") {
    const auto policy = parse(good_policy().dump());
    REQUIRE(policy.has_value());
    CHECK(policy->attributes == 0xFEDC'BA98'7654'3210);
    CHECK(policy->xfam == bundle_boot().policy().xfam);
    CHECK(policy->mr_owner == crypto::Digest{std::byte{7}});
    CHECK_FALSE(policy->mr_config_id.has_value());
    CHECK(policy->mrtd == bundle_boot().policy().mrtd);
    CHECK(policy->rtmr == bundle_boot().policy().rtmr);
    CHECK(policy->events.size() == bundle_boot().policy().events.size());
    CHECK(good_policy()["attributes"] == "0xfedcba9876543210");
}

TEST_CASE("each member of a policy has to be there", "[policy]") {
    for (const auto& [name, value] : good_policy().items()) {
        Json lacking = good_policy();
        lacking.erase(name);
        const auto policy = parse(lacking.dump());
        REQUIRE_FALSE(policy.has_value());
        CHECK(policy.error().text.starts_with("p.json: " + name + ": expected "));
        CHECK(policy.error().text.ends_with(", found nothing"));
    }
    const Json event = good_policy()["events"][1];
    for (const auto& [name, value] : event.items()) {
        Json lacking = good_policy();
        lacking["events"][1].erase(name);
        const auto policy = parse(lacking.dump());
        REQUIRE_FALSE(policy.has_value());
        CHECK(policy.error().text.starts_with("p.json: events[1]." + name + ": expected "));
        CHECK(policy.error().text.ends_with(", found nothing"));
    }
}

TEST_CASE("a policy has no member that nobody knows", "[policy]") {
    Json json = good_policy();
    json["MRTD"] = json["mrtd"];
    require_refused(json.dump(), "MRTD: there is no such member");
    json = good_policy();
    json["events"][2]["digests"] = 1;
    require_refused(json.dump(), "events[2].digests: there is no such member");
    json = good_policy();
    json["\x1b[2J"] = 1;
    require_refused(json.dump(), "\\x1b[2J: there is no such member");
}

TEST_CASE("a policy has no member twice", "[policy]") {
    require_refused(replaced("\"rtmr1\":", "\"rtmr1\":null,\"rtmr1\":"), "rtmr1: stands twice");
    require_refused(replaced("\"size\":", "\"size\":1,\"size\":"), "events[0].size: stands twice");
    require_refused(replaced("\"events\":[", "\"events\":[],\"events\":["), "events: stands twice");
    require_refused("[1,[],{\"a\":{\"b\":1}},{\"a\":{\"b\":1,\"b\":2}}]", "[3].a.b: stands twice");
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    require_refused(nested(17), "is nested more deeply than 16 objects and lists");
    require_refused(nested(300'000), "is nested more deeply than 16 objects and lists");
    std::string members = "{\"a\":{";
    for (int i = 0; i < 1001; ++i)
        members += std::format("{}\"{}\":{{}}", i == 0 ? "" : ",", i);
    require_refused(members, "a.1000: has more than 1000 members");
    require_refused(nested(16), "format: expected a text, found no object");
    // What is no JSON is that first.
    require_refused("{\"a\":1,\"a\":", "is no JSON");
}

TEST_CASE("null pins nothing, and nothing else does", "[policy]") {
    for (const char* const name : {"attributes", "xfam", "mrconfigid", "mrowner", "mrownerconfig",
                                   "mrtd", "rtmr0", "rtmr3"}) {
        Json json = good_policy();
        json[name] = nullptr;
        CHECK(parse(json.dump()).has_value());
        json[name] = "";
        CHECK_FALSE(parse(json.dump()).has_value());
        json[name] = 0;
        CHECK_FALSE(parse(json.dump()).has_value());
    }
    Json json = good_policy();
    json["events"] = nullptr;
    CHECK_FALSE(parse(json.dump()).has_value());
}

TEST_CASE("numbers of a policy are whole", "[policy]") {
    for (const char* const text :
         {"0x", "10000000", "0x1g", "0x10000000000000000", " 0x1", "-0x1"}) {
        Json json = good_policy();
        json["xfam"] = text;
        require_refused(json.dump(),
                        "xfam: expected 0x and at most 16 hexadecimal digits or null, found \"" +
                            std::string(text) + "\"");
    }
    Json json = good_policy();
    json["events"][0]["type"] = 0x1'0000'0004;
    require_refused(json.dump(),
                    "events[0].type: expected a number up to 4294967295, found 4294967300");
}

TEST_CASE("a policy of another version is to be made again", "[policy]") {
    for (const int version : {0, 1, 2, 4}) {
        Json json = good_policy();
        json["version"] = version;
        json["member of that version"] = 1;
        require_refused(json.dump(), "version: expected 3, found " + std::to_string(version) +
                                         ": make the policy again with shim-measure");
    }
}

}} // namespace tdshim::tools
