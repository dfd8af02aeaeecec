// SPDX-License-Identifier: Apache-2.0
//
// What a log says and no register shows is marked as such: every bit of a log is flipped, and each
// byte of which a check noticed nothing is one that the output calls "not covered".

#include <catch2/catch_test_macros.hpp>
#include <set>

#include "tests/unit/boot_log.hpp"

namespace tdshim::tools { namespace {

using namespace tdshim::test;

using Bytestring = std::vector<std::byte>;

bool is_noticed(Bytes bytes, const std::optional<TdRegisters>& td,
                const std::optional<Policy>& policy) {
    const auto log = decode_log(bytes);
    return !log || log->error || !differences(*log, coverage_of(*log), td, policy).empty();
}

/// The bytes of which at least one bit can be another without a check's noticing.
std::set<std::size_t> unnoticed_bytes(Bytestring log, const std::optional<TdRegisters>& td,
                                      const std::optional<Policy>& policy) {
    std::set<std::size_t> unnoticed;
    REQUIRE_FALSE(is_noticed(log, td, policy));
    for (std::size_t at = 0; at < log.size(); ++at)
        for (unsigned bit = 0; bit < 8; ++bit) {
            log[at] ^= std::byte(1U << bit);
            if (!is_noticed(log, td, policy))
                unnoticed.insert(at);
            log[at] ^= std::byte(1U << bit);
        }
    return unnoticed;
}

/// All that the output of `decode` calls "not covered".
std::vector<LogPart> parts_of(Bytes bytes) {
    const auto log = decode_log(bytes);
    REQUIRE(log.has_value());
    const LogCoverage coverage = coverage_of(*log);
    std::vector<LogPart> parts{{"header", 0, log->events.front().offset},
                               {"tail", log->used, bytes.size() - log->used}};
    for (std::size_t i = 0; i < log->events.size(); ++i)
        parts.append_range(parts_not_covered(log->events[i], coverage.events[i]));
    return parts;
}

/// The names of the parts of which a check notices nothing.
std::set<std::string_view> unnoticed_parts(const BootLog& boot,
                                           const std::optional<Policy>& policy) {
    constexpr std::size_t tail = 70;
    const Bytestring log = boot.log(tail).vector();
    const auto parts = parts_of(log);
    std::set<std::string_view> names;
    for (const std::size_t at : unnoticed_bytes(log, boot.td(), policy)) {
        const auto part = std::ranges::find_if(parts, [&](const LogPart& candidate) {
            return at >= candidate.offset && at - candidate.offset < candidate.size;
        });
        INFO("byte " << at);
        REQUIRE(part != parts.end());
        names.insert(part->name);
    }
    return names;
}

TEST_CASE("whatever a check with policy and report misses is marked not covered", "[log_flips]") {
    const BootLog boot = running_bundle();
    // The data is that of an OS's event of another type; types are the OS's.
    CHECK(unnoticed_parts(boot, boot.policy()) ==
          std::set<std::string_view>{"header", "tail", "type", "tag", "address", "data"});
}

TEST_CASE("without a policy a check misses types and names too, and they are marked",
          "[log_flips]") {
    CHECK(unnoticed_parts(running_bundle(), std::nullopt) ==
          std::set<std::string_view>{"header", "tail", "type", "tag", "name", "address", "size",
                                     "data"});
}

TEST_CASE("the reason of a refusal is not covered", "[log_flips]") {
    const Blob log = refused_boot().log();
    CHECK(std::ranges::count(parts_of(log.view()), "reason", &LogPart::name) == 2);
}

}} // namespace tdshim::tools
