// SPDX-License-Identifier: Apache-2.0
//
// tools/measurements/comparison.hpp: which registers an agreement says nothing of.
// coverage_test.cpp has the events.

#include <catch2/catch_test_macros.hpp>

#include "tests/unit/boot_log.hpp"

namespace tdshim::tools { namespace {

using namespace tdshim::test;

std::vector<std::string> keys(const std::vector<RegisterName>& registers) {
    std::vector<std::string> keys;
    for (const RegisterName& name : registers)
        keys.push_back(name.key);
    return keys;
}

TEST_CASE("what was not compared is said", "[comparison]") {
    const std::vector<std::string> all{"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    const BootLog boot = bundle_boot();
    const auto with_both = not_compared(boot.td(), boot.policy());
    CHECK(keys(with_both.with_policy) == std::vector<std::string>{"rtmr2", "rtmr3"});
    CHECK(with_both.with_td.empty());
    CHECK(keys(not_compared(boot.td(), std::nullopt).with_policy) == all);
    CHECK(keys(not_compared(std::nullopt, boot.policy()).with_td) == all);
    CHECK(keys(not_compared(boot.td(), Policy{}).with_policy) == all);
    CHECK(with_both.with_policy[0].name == "RTMR[2]");
}

}} // namespace tdshim::tools
