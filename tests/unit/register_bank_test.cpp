// SPDX-License-Identifier: Apache-2.0
//
// shim/measure/register_bank.hpp: the extend operation against digests computed elsewhere (Python's
// hashlib), and that registers are apart.

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <limits>

#include "shim/measure/register_bank.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::measure { namespace {

using namespace tdshim::test;

crypto::Digest filled(unsigned value) {
    crypto::Digest digest;
    digest.fill(std::byte(static_cast<unsigned char>(value)));
    return digest;
}

constexpr std::string_view zeros_and_11 =
    "C7 30 4E 0A EC 48 BB BC 70 3C 09 9B 42 54 85 B7 A6 0E 19 B6 A8 36 30 B0 "
    "FB 55 8C E2 F0 2E C4 1E 4C DF 20 53 35 B4 B6 13 B3 53 7A D8 3E B6 22 62";
constexpr std::string_view then_22 =
    "3B 0A A7 0F 13 EE 0D 6D 1E 00 4B C3 92 5D A1 D6 9F A9 63 8C 77 92 36 63 "
    "DD 22 60 28 62 39 32 C6 11 39 AA CB 36 96 BD 7A 45 99 0D 5E B4 CA 28 68";
constexpr std::string_view zeros_twice =
    "F5 7B B7 ED 82 C6 AE 4A 29 E6 C9 87 93 38 C5 92 C7 D4 2A 39 13 55 83 E8 "
    "CC BE 39 40 F2 34 4B 0E B6 EB 85 03 DB 0F FD 6A 39 DD D0 0C D0 7D 83 17";

TEST_CASE("the four registers begin as zeros", "[register_bank]") {
    const RegisterBank bank;
    STATIC_CHECK(rtmr_count == 4);
    for (std::uint32_t rtmr = 0; rtmr < 4; ++rtmr)
        CHECK(bank.value(rtmr) == filled(0));
}

TEST_CASE("a register becomes the hash of its value and the digest", "[register_bank]") {
    RegisterBank bank;
    REQUIRE(bank.extend(2, filled(0x11)).has_value());
    CHECK(copy_of(bank.value(2)) == Blob().dump(zeros_and_11).vector());
    REQUIRE(bank.extend(2, filled(0x22)).has_value());
    CHECK(copy_of(bank.value(2)) == Blob().dump(then_22).vector());
}

TEST_CASE("a digest of zeros extends like any other", "[register_bank]") {
    RegisterBank bank;
    REQUIRE(bank.extend(0, filled(0)).has_value());
    CHECK(copy_of(bank.value(0)) == Blob().dump(zeros_twice).vector());
}

TEST_CASE("the order of extensions matters", "[register_bank]") {
    RegisterBank bank;
    REQUIRE(bank.extend(0, filled(0x11)).has_value());
    REQUIRE(bank.extend(0, filled(0x22)).has_value());
    REQUIRE(bank.extend(1, filled(0x22)).has_value());
    REQUIRE(bank.extend(1, filled(0x11)).has_value());
    CHECK(bank.value(0) != bank.value(1));
}

TEST_CASE("an extension touches its own register only", "[register_bank]") {
    for (std::uint32_t rtmr = 0; rtmr < 4; ++rtmr) {
        RegisterBank bank;
        REQUIRE(bank.extend(rtmr, filled(0x11)).has_value());
        for (std::uint32_t other = 0; other < 4; ++other) {
            CAPTURE(rtmr, other);
            if (other == rtmr)
                CHECK(copy_of(bank.value(other)) == Blob().dump(zeros_and_11).vector());
            else
                CHECK(bank.value(other) == filled(0));
        }
    }
}

TEST_CASE("a register above the third is refused and none changes", "[register_bank]") {
    RegisterBank bank;
    constexpr std::uint32_t top = std::numeric_limits<std::uint32_t>::max();
    require_refused(bank.extend(4, filled(0x11)), Fault::log_rtmr_index, 0, 3, 4);
    require_refused(bank.extend(top, filled(0x11)), Fault::log_rtmr_index, 0, 3, top);
    for (std::uint32_t rtmr = 0; rtmr < 4; ++rtmr)
        CHECK(bank.value(rtmr) == filled(0));
}

}} // namespace tdshim::measure
