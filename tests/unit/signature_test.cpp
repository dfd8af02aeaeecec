// SPDX-License-Identifier: Apache-2.0
//
// shim/crypto/signature.hpp: signatures that libcrypto made are good, and no change to one of them,
// to its key, to the digest or to a parameter of the algorithm is. More of them come from
// tests/signing/vectors_test.py.

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "shim/crypto/signature.hpp"
#include "tests/unit/signer.hpp"
#include "tests/unit/support.hpp"

namespace tdshim::crypto { namespace {

using namespace tdshim::test;
using signed_payload::Algorithm;

const Blob message = Blob().text("what is signed");

Result<void> check(const std::vector<std::byte>& key, const std::vector<std::byte>& signature,
                   std::size_t memory_size = signature_memory_size,
                   const Digest& digest = sha384(message.view())) {
    SignatureMemory memory;
    const MutableBytes area = std::span(memory.bytes).first(memory_size);
    if (signature.size() == rsa_signature_size)
        return check_rsa_pss(RsaKey(key), digest, RsaSignature(signature), area);
    return check_ecdsa_p384(EcdsaKey(key), digest, EcdsaSignature(signature), area);
}

std::vector<std::byte> flipped(std::vector<std::byte> bytes, std::size_t bit) {
    bytes.at(bit / 8) ^= std::byte(1U << (bit % 8));
    return bytes;
}

Number number(Bytes bytes) {
    return Number(BN_bin2bn(characters(bytes), static_cast<int>(bytes.size()), nullptr));
}

/// The order of P-384 [SP 800-186, 3.2.1.4].
Number order() {
    BIGNUM* value = nullptr;
    BN_hex2bn(&value, "ffffffffffffffffffffffffffffffffffffffffffffffff"
                      "c7634d81f4372ddf581a0db248b0a77aecec196accc52973");
    return Number(value);
}

/// r || s
std::vector<std::byte> pair(Bytes r, Bytes s) {
    std::vector<std::byte> bytes = copy_of(r);
    bytes.append_range(s);
    return bytes;
}

TEST_CASE("a signature of each algorithm is good", "[signature]") {
    for (const Algorithm algorithm :
         {Algorithm::rsa_pss_3072_sha384, Algorithm::ecdsa_p384_sha384}) {
        const Signer signer(algorithm);
        CHECK(check(signer.public_key(), signer.sign(message.view())));
    }
}

TEST_CASE("no flipped bit of signature, key or digest goes through", "[signature]") {
    for (const Algorithm algorithm :
         {Algorithm::rsa_pss_3072_sha384, Algorithm::ecdsa_p384_sha384}) {
        const Signer signer(algorithm);
        const auto key = signer.public_key();
        const auto signature = signer.sign(message.view());
        const std::size_t step = algorithm == Algorithm::ecdsa_p384_sha384 ? 13 : 3;
        for (std::size_t bit = 0; bit < 8 * signature.size(); bit += step)
            CHECK_FALSE(check(key, flipped(signature, bit)));
        for (std::size_t bit = 0; bit < 8 * key.size(); bit += step)
            CHECK_FALSE(check(flipped(key, bit), signature));
        Digest digest = sha384(message.view());
        digest[47] ^= std::byte{1};
        require_refused(check(key, signature, signature_memory_size, digest),
                        Fault::signature_wrong, 0, 0, 0);
    }
}

TEST_CASE("RSA keys of another size or exponent are refused", "[signature]") {
    const Signer signer(Algorithm::rsa_pss_3072_sha384);
    const auto signature = signer.sign(message.view());
    auto key = signer.public_key();
    require_refused(check(flipped(key, 7), signature), Fault::signature_modulus, 0, 0, 0);
    require_refused(check(flipped(key, 8 * 383), signature), Fault::signature_modulus, 0, 0, 0);
    key.back() = std::byte{3};
    require_refused(check(key, signature), Fault::signature_exponent, 384, 65537, 65539);
    // The little-endian way to write it.
    const auto reversed = Blob().bytes(Bytes(key).first(384)).u64(65537).vector();
    require_refused(check(reversed, signature), Fault::signature_exponent, 384, 65537,
                    0x0100010000000000);
}

TEST_CASE("RSA padding with another salt, mask or form is refused", "[signature]") {
    const Signer signer(Algorithm::rsa_pss_3072_sha384);
    const auto key = signer.public_key();
    for (const RsaPadding& padding :
         {RsaPadding{.salt_size = 0}, RsaPadding{.salt_size = 32}, RsaPadding{.salt_size = 47},
          RsaPadding{.salt_size = 49}, RsaPadding{.mask_hash = EVP_sha256()},
          RsaPadding{.is_pss = false}}) {
        CAPTURE(padding.salt_size, padding.is_pss);
        require_refused(check(key, signer.sign(message.view(), padding)), Fault::signature_wrong, 0,
                        0, 0);
    }
}

TEST_CASE("an RSA signature that is not below the modulus is refused", "[signature]") {
    const Signer signer(Algorithm::rsa_pss_3072_sha384);
    const auto key = signer.public_key();
    for (const auto& signature : {copy_of(Bytes(key).first(384)), std::vector(384, std::byte{0xFF}),
                                  std::vector(384, std::byte{0})})
        require_refused(check(key, signature), Fault::signature_wrong, 0, 0, 0);
}

TEST_CASE("r and s are from 1 to the order less 1", "[signature]") {
    const Signer signer(Algorithm::ecdsa_p384_sha384);
    const auto key = signer.public_key();
    const auto good = signer.sign(message.view());
    const Bytes r = Bytes(good).first(48);
    const Bytes s = Bytes(good).last(48);
    const auto n = big_endian(order().get(), 48);
    const std::vector<std::byte> zero(48);
    const std::vector<std::byte> most(48, std::byte{0xFF});
    for (const auto& bad : {zero, n, most}) {
        require_refused(check(key, pair(bad, s)), Fault::signature_range, 0, 0, 0);
        require_refused(check(key, pair(r, bad)), Fault::signature_range, 48, 0, 0);
    }
    auto below = n;
    below.back() ^= std::byte{1}; // n is odd
    require_refused(check(key, pair(below, s)), Fault::signature_wrong, 0, 0, 0);
    require_refused(check(key, pair(r, below)), Fault::signature_wrong, 0, 0, 0);
    require_refused(check(key, pair(s, r)), Fault::signature_wrong, 0, 0, 0);
}

TEST_CASE("the other s of an ECDSA signature is as good", "[signature]") {
    const Signer signer(Algorithm::ecdsa_p384_sha384);
    const auto good = signer.sign(message.view());
    const Number other(BN_new());
    REQUIRE(BN_sub(other.get(), order().get(), number(Bytes(good).last(48)).get()) == 1);
    CHECK(check(signer.public_key(), pair(Bytes(good).first(48), big_endian(other.get(), 48))));
}

TEST_CASE("an ECDSA key is a point of the curve", "[signature]") {
    const Signer signer(Algorithm::ecdsa_p384_sha384);
    const auto signature = signer.sign(message.view());
    const auto key = signer.public_key();
    require_refused(check(flipped(key, 8 * 95), signature), Fault::signature_point, 0, 0, 0);
    require_refused(check(std::vector<std::byte>(96), signature), Fault::signature_point, 0, 0, 0);
    // p, and with it x = 0 in a number that is not reduced [SP 800-186, 3.2.1.4].
    BIGNUM* value = nullptr;
    BN_hex2bn(&value, "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"
                      "ffffffff0000000000000000ffffffff");
    const Number p(value);
    require_refused(check(pair(big_endian(p.get(), 48), Bytes(key).last(48)), signature),
                    Fault::signature_point, 0, 0, 0);
}

TEST_CASE("a check needs no more than the memory that is stated", "[signature]") {
    // 8.1 and 8.8 KiB with mbedTLS 3.6.6: half of what is stated may fail, three quarters may not.
    static_assert(signature_memory_size == 16384);
    for (const Algorithm algorithm :
         {Algorithm::rsa_pss_3072_sha384, Algorithm::ecdsa_p384_sha384}) {
        const Signer signer(algorithm);
        const auto key = signer.public_key();
        const auto signature = signer.sign(message.view());
        CHECK(check(key, signature, 12288));
        for (std::size_t size = 0; size < 8192; size += 512)
            require_refused(check(key, signature, size), Fault::memory_exhausted, 0, 0, 0);
        CHECK(check(key, signature)); // after a failure as before
    }
}

}} // namespace tdshim::crypto
