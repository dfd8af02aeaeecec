// SPDX-License-Identifier: Apache-2.0
//
// shim/crypto/sha512.cpp: the digest is libcrypto's by each path, for any size, at any address, in
// any pieces, and the vector unit is turned on and off as often.

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <openssl/evp.h>
#include <random>
#include <vector>

#include "mbedtls/sha512.h"
#include "shim/crypto/sha384.hpp"
#include "shim/crypto/sha512.hpp"

namespace tdshim::crypto { namespace {

int begun = 0;
int ended = 0;

VectorUnit counting_unit(bool has_one) {
    begun = 0;
    ended = 0;
    const auto begin = [] {
        ++begun;
        return true;
    };
    const auto none = [] {
        ++begun;
        return false;
    };
    return {.begin = has_one ? +begin : +none, .end = [] { ++ended; }};
}

/// The scalar path again when a test ends.
struct Vectors {
    explicit Vectors(VectorUnit unit) { use_vectors(unit); }
    ~Vectors() { use_vectors({}); }
    Vectors(const Vectors&) = delete;
    Vectors& operator=(const Vectors&) = delete;
};

Digest by_libcrypto(Bytes bytes) {
    Digest digest{};
    unsigned size = 0;
    REQUIRE(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()),
                       &size, EVP_sha384(), nullptr) == 1);
    REQUIRE(size == digest.size());
    return digest;
}

Digest in_pieces(Bytes bytes, std::mt19937& random) {
    Sha384 hash;
    while (!bytes.empty()) {
        const std::size_t size = std::min<std::size_t>(bytes.size(), random() % 9000);
        hash.update(bytes.first(size));
        bytes = bytes.subspan(size);
    }
    return hash.finish();
}

/// Of `count` random inputs, most of them small, some of many blocks.
void check_against_libcrypto(std::size_t count) {
    std::mt19937 random(1); // the same in each run
    std::vector<std::byte> memory(70'000);
    std::ranges::generate(memory, [&] { return std::byte(static_cast<unsigned char>(random())); });
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t limit = i % 10 == 0 ? 65'536 : i % 3 == 0 ? 8'192 : 300;
        const Bytes bytes = Bytes(memory).subspan(random() % 128, random() % limit);
        const Digest expected = by_libcrypto(bytes);
        wrong += sha384(bytes) != expected;
        wrong += in_pieces(bytes, random) != expected;
    }
    CHECK(wrong == 0);
}

constexpr std::size_t inputs = 10'000;

TEST_CASE("the scalar path's digests are libcrypto's", "[sha512]") {
    check_against_libcrypto(inputs);
}

TEST_CASE("the vector path's digests are libcrypto's", "[sha512]") {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2"))
        SKIP("this processor has no AVX2");
    const Vectors vectors(counting_unit(true));
    check_against_libcrypto(inputs);
    CHECK(begun > 0);
    CHECK(ended == begun);
}

TEST_CASE("without a vector unit the scalar path is taken", "[sha512]") {
    const Vectors vectors(counting_unit(false));
    check_against_libcrypto(inputs / 10);
    CHECK(begun > 0);
    CHECK(ended == 0);
}

TEST_CASE("the vector unit is not turned on for a few blocks", "[sha512]") {
    const Vectors vectors(counting_unit(true));
    const std::vector<std::byte> bytes(4095);
    CHECK(sha384(bytes) == by_libcrypto(bytes));
    CHECK(begun == 0);
}

TEST_CASE("a copied hash goes on by itself", "[sha512]") {
    mbedtls_sha512_context first{};
    mbedtls_sha512_context second{};
    constexpr unsigned char text[] = "abc";
    Digest digest{};
    auto* const out = reinterpret_cast<unsigned char*>(digest.data());
    REQUIRE(mbedtls_sha512_starts(&first, 1) == 0);
    REQUIRE(mbedtls_sha512_update(&first, text, 1) == 0);
    mbedtls_sha512_clone(&second, &first);
    REQUIRE(mbedtls_sha512_update(&first, text, 3) == 0);
    REQUIRE(mbedtls_sha512_update(&second, text + 1, 2) == 0);
    REQUIRE(mbedtls_sha512_finish(&second, out) == 0);
    CHECK(digest == by_libcrypto(std::as_bytes(std::span(text, 3))));
}

TEST_CASE("SHA-512 itself is not there", "[sha512]") {
    mbedtls_sha512_context context{};
    CHECK(mbedtls_sha512_starts(&context, 0) == MBEDTLS_ERR_SHA512_BAD_INPUT_DATA);
}

}} // namespace tdshim::crypto
