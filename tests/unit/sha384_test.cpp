// SPDX-License-Identifier: Apache-2.0
//
// shim/crypto: SHA-384 against the examples of FIPS 180-4, and the hash of pieces against the hash
// of the whole.

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "shim/crypto/sha384.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::crypto { namespace {

using namespace tdshim::test;

std::string hex(const Digest& digest) {
    std::string text;
    for (const std::byte byte : digest) {
        constexpr std::string_view digits = "0123456789abcdef";
        text += digits[std::to_integer<std::size_t>(byte) / 16];
        text += digits[std::to_integer<std::size_t>(byte) % 16];
    }
    return text;
}

std::string hash_of(std::string_view text) {
    return hex(sha384(Blob().text(text).view()));
}

constexpr std::string_view two_blocks = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                                        "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
constexpr std::string_view hash_of_two_blocks =
    "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
    "fcc7c71a557e2db966c3e9fa91746039";

TEST_CASE("no bytes have the digest of the standard", "[sha384]") {
    constexpr std::string_view expected =
        "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
        "274edebfe76f65fbd51ad2f14898b95b";
    CHECK(hash_of("") == expected);
    CHECK(hex(sha384({})) == expected);
    CHECK(hex(Sha384().finish()) == expected);
}

TEST_CASE("one block has the digest of the standard", "[sha384]") {
    CHECK(hash_of("abc") == "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                            "8086072ba1e7cc2358baeca134c825a7");
}

TEST_CASE("two blocks have the digest of the standard", "[sha384]") {
    REQUIRE(two_blocks.size() == 112);
    CHECK(hash_of(two_blocks) == hash_of_two_blocks);
}

TEST_CASE("a million characters have the digest of the standard", "[sha384]") {
    CHECK(hash_of(std::string(1'000'000, 'a')) ==
          "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b"
          "07b8b3dc38ecc4ebae97ddd87f3d8985");
}

TEST_CASE("two pieces have the digest of the whole wherever it is cut", "[sha384]") {
    const Blob whole = Blob().text(two_blocks);
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        CAPTURE(cut);
        Sha384 hash;
        hash.update(whole.view().first(cut));
        hash.update(whole.view().subspan(cut));
        CHECK(hex(hash.finish()) == hash_of_two_blocks);
    }
}

TEST_CASE("pieces of odd sizes have the digest of the whole", "[sha384]") {
    std::vector<std::byte> whole(100'003);
    for (std::size_t i = 0; i < whole.size(); ++i)
        whole[i] = std::byte(static_cast<unsigned char>(i * 7 + i / 251));
    const Digest expected = sha384(whole);
    for (const std::size_t size : {1UZ, 3UZ, 47UZ, 111UZ, 127UZ, 128UZ, 129UZ, 4097UZ}) {
        CAPTURE(size);
        Sha384 hash;
        for (Bytes rest = whole; !rest.empty();) {
            const std::size_t count = std::min(size, rest.size());
            hash.update(rest.first(count));
            hash.update({}); // no bytes change nothing
            rest = rest.subspan(count);
        }
        CHECK(hash.finish() == expected);
    }
}

TEST_CASE("a changed bit or a missing byte changes the digest", "[sha384]") {
    Blob input = Blob().text(two_blocks);
    const Digest before = sha384(input.view());
    CHECK(sha384(input.view().first(111)) != before);
    input.patch(111, 1, 'u' ^ 1);
    CHECK(sha384(input.view()) != before);
}

TEST_CASE("two hashes at a time do not disturb each other", "[sha384]") {
    Sha384 one;
    Sha384 two;
    one.update(Blob().text("a").view());
    two.update(Blob().text(two_blocks).view());
    one.update(Blob().text("bc").view());
    CHECK(hex(two.finish()) == hash_of_two_blocks);
    CHECK(hex(one.finish()) == hash_of("abc"));
}

}} // namespace tdshim::crypto
