// SPDX-License-Identifier: Apache-2.0
//
// tools/measurements/comparison.hpp: what a TD is, by ATTRIBUTES and XFAM, and which registers an
// agreement says nothing of. coverage_test.cpp has the events.

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/unit/boot_log.hpp"

namespace tdshim::tools { namespace {

using namespace tdshim::test;

constexpr std::uint64_t debug = 1;

/// What a check of a good boot's log says of a TD whose ATTRIBUTES have `bits` more.
std::vector<Finding> check(std::uint64_t bits, const std::optional<Policy>& policy) {
    const BootLog boot = bundle_boot();
    TdRegisters td = boot.td();
    td.info.attributes = td.info.attributes | bits;
    const Blob bytes = boot.log();
    const auto log = decode_log(bytes.view());
    REQUIRE(log.has_value());
    return differences(*log, coverage_of(*log), td, policy);
}

std::vector<std::string> keys(const std::vector<RegisterName>& registers) {
    std::vector<std::string> keys;
    for (const RegisterName& name : registers)
        keys.push_back(name.key);
    return keys;
}

TEST_CASE("a TD under debug agrees with nothing, with a policy or without", "[comparison]") {
    Policy unpinned = bundle_boot().policy();
    unpinned.attributes.reset();
    for (const auto& policy : {std::optional<Policy>{}, std::optional(unpinned)}) {
        CHECK(check(0, policy).empty());
        const auto found = check(debug, policy);
        REQUIRE(found.size() == 1);
        CHECK(found[0].register_key == "attributes");
        CHECK(found[0].text ==
              "ATTRIBUTES: 0x10000001 in the TDREPORT has DEBUG (bit 0): the VMM can read and "
              "write all memory and registers of this TD, so that nothing it says of itself "
              "proves anything");
        const auto other = check(0x10, policy); // HGS_PLUS_PROF
        REQUIRE(other.size() == 1);
        CHECK(other[0].text == "ATTRIBUTES: 0x10000010 in the TDREPORT has a bit of TUD (7 to 0): "
                               "a TD under debug is not to be trusted");
    }
}

TEST_CASE("a policy that pins DEBUG agrees with a TD under debug and with no other",
          "[comparison]") {
    Policy policy = bundle_boot().policy();
    policy.attributes = *policy.attributes | debug;
    CHECK(check(debug, policy).empty());
    const auto found = check(0, policy);
    REQUIRE(found.size() == 1);
    CHECK(found[0].text == "ATTRIBUTES: expected 0x10000001 by the policy, found 0x10000000 in the "
                           "TDREPORT; that is: option --attributes of shim-measure");
    CHECK(check(0x11, policy).size() == 2);
}

TEST_CASE("ATTRIBUTES and XFAM are those of the policy, and come first", "[comparison]") {
    Policy policy = bundle_boot().policy();
    policy.xfam = 0x600E7;
    policy.mrtd = crypto::Digest{};
    const auto found = check(debug, policy);
    REQUIRE(found.size() == 4);
    CHECK(found[0].text.contains("has DEBUG (bit 0)"));
    CHECK(found[1].text.starts_with("ATTRIBUTES: expected 0x10000000 by the policy"));
    CHECK(found[2].text == "XFAM: expected 0x600e7 by the policy, found 0xe7 in the TDREPORT; that "
                           "is: option --xfam of shim-measure");
    CHECK(found[2].register_key == "xfam");
    CHECK(found[3].register_key == "mrtd");
}

TEST_CASE("what the launch gave the TD beside its memory is the policy's", "[comparison]") {
    Policy policy = bundle_boot().policy();
    policy.mr_config_id = crypto::Digest{};
    policy.mr_owner = crypto::Digest{std::byte{1}};
    policy.mr_owner_config = crypto::Digest{std::byte{2}};
    const auto found = check(0, policy);
    REQUIRE(found.size() == 2);
    CHECK(found[0].register_key == "mrowner");
    CHECK(found[0].text.starts_with("MROWNER: expected 0100"));
    CHECK(found[0].text.ends_with("in the TDREPORT; that is: option --mrowner of shim-measure"));
    CHECK(found[1].register_key == "mrownerconfig");
}

TEST_CASE("what was not compared is said", "[comparison]") {
    const std::vector<std::string> identity{"mrconfigid", "mrowner", "mrownerconfig"};
    const std::vector<std::string> all{"attributes",    "xfam", "mrconfigid", "mrowner",
                                       "mrownerconfig", "mrtd", "rtmr0",      "rtmr1",
                                       "rtmr2",         "rtmr3"};
    const BootLog boot = bundle_boot();
    const auto with_both = not_compared(boot.td(), boot.policy());
    CHECK(keys(with_both.with_policy) ==
          std::vector<std::string>{identity[0], identity[1], identity[2], "rtmr2", "rtmr3"});
    CHECK(with_both.with_td.empty());
    CHECK(keys(not_compared(boot.td(), std::nullopt).with_policy) == all);
    CHECK(keys(not_compared(std::nullopt, boot.policy()).with_td) == all);
    CHECK(keys(not_compared(boot.td(), Policy{}).with_policy) == all);
    CHECK(with_both.with_policy[0].name == "MRCONFIGID");
    CHECK(with_both.with_policy[3].name == "RTMR[2] behind the policy's 1 event");
    Policy pinned = boot.policy();
    pinned.mr_config_id = pinned.mr_owner = pinned.mr_owner_config = crypto::Digest{};
    CHECK(keys(not_compared(boot.td(), pinned).with_policy) ==
          std::vector<std::string>{"rtmr2", "rtmr3"});
}

}} // namespace tdshim::tools
