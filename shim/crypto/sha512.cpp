// SPDX-License-Identifier: Apache-2.0
//
// mbedTLS's SHA-512 module [mbedtls/sha512.h, MBEDTLS_SHA512_ALT], of which only SHA-384 is there:
// padding and pieces are ours [FIPS 180-4, 5.1.2, 6.5], the compression function is OpenSSL's
// (crypto/sha/asm/sha512-x86_64.pl, two paths of it: cmake/sha512_paths.sed).
#include "shim/crypto/sha512.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "mbedtls/platform_util.h"
#include "mbedtls/sha512.h"
#include "shim/base/bytes.hpp"

extern "C" {
void tdshim_sha512_scalar(std::uint64_t* state, const void* data, std::size_t blocks);
void tdshim_sha512_avx2(std::uint64_t* state, const void* data, std::size_t blocks);
}

namespace tdshim::crypto {
namespace {

constexpr std::size_t block_size = 128;
constexpr std::size_t length_size = 16; // of the message in bits, big-endian, at the end
// Below, what turns the vector unit on and off costs more than it saves.
constexpr std::size_t least_blocks_by_vectors = 32;

// The first 64 bits of the fractional parts of the square roots of the 9th to 16th primes
// [FIPS 180-4, 5.3.4].
constexpr std::array<std::uint64_t, 8> sha384_start{
    0xCBBB'9D5D'C105'9ED8, 0x629A'292A'367C'D507, 0x9159'015A'3070'DD17, 0x152F'ECD8'F70E'5939,
    0x6733'2667'FFC0'0B31, 0x8EB4'4A87'6858'1511, 0xDB0C'2E0D'64F9'8FA7, 0x47B5'481D'BEFA'4FA4};

constinit VectorUnit vectors{};
/// By a pointer, so that the linker leaves the path out where nobody calls use_vectors().
constinit void (*hash_by_vectors)(std::uint64_t*, const void*, std::size_t) = nullptr;

std::size_t size_of_rest(const mbedtls_sha512_context& context) {
    return context.size % block_size;
}

void hash_blocks(mbedtls_sha512_context& context, const unsigned char* data, std::size_t blocks) {
    if (blocks >= least_blocks_by_vectors && hash_by_vectors != nullptr && vectors.begin()) {
        hash_by_vectors(context.state, data, blocks);
        vectors.end();
        return;
    }
    tdshim_sha512_scalar(context.state, data, blocks);
}

void update(mbedtls_sha512_context& context, const unsigned char* data, std::size_t size) {
    const std::size_t rest = size_of_rest(context);
    context.size += size;
    if (rest != 0) {
        const std::size_t taken = std::min(block_size - rest, size);
        std::memcpy(context.block + rest, data, taken);
        if (rest + taken < block_size)
            return;
        hash_blocks(context, context.block, 1);
        data += taken;
        size -= taken;
    }
    if (const std::size_t blocks = size / block_size; blocks != 0)
        hash_blocks(context, data, blocks);
    if (const std::size_t left = size % block_size; left != 0)
        std::memcpy(context.block, data + (size - left), left);
}

/// A one, zeros, and the length, so that the last block is whole.
void pad(mbedtls_sha512_context& context) {
    const std::uint64_t size = context.size;
    const std::size_t rest = size_of_rest(context);
    const std::size_t length_at = (rest < block_size - length_size ? 1 : 2) * block_size - 8;
    std::array<unsigned char, 2 * block_size> padding{0x80};
    // Of the 128 bits the upper ones are those that the count of bytes does not hold as bits.
    const be64 high = size >> 61;
    const be64 low = size << 3;
    std::memcpy(&padding[length_at - 8 - rest], &high, sizeof(high));
    std::memcpy(&padding[length_at - rest], &low, sizeof(low));
    update(context, padding.data(), length_at + 8 - rest);
}

} // namespace

void use_vectors(VectorUnit unit) {
    vectors = unit;
    hash_by_vectors = unit.begin != nullptr ? tdshim_sha512_avx2 : nullptr;
}

} // namespace tdshim::crypto

using namespace tdshim;

extern "C" {

void mbedtls_sha512_init(mbedtls_sha512_context* context) {
    *context = {};
}

void mbedtls_sha512_free(mbedtls_sha512_context* context) {
    if (context != nullptr)
        mbedtls_platform_zeroize(context, sizeof(*context));
}

void mbedtls_sha512_clone(mbedtls_sha512_context* to, const mbedtls_sha512_context* from) {
    *to = *from;
}

int mbedtls_sha512_starts(mbedtls_sha512_context* context, int is_sha384) {
    if (is_sha384 != 1)
        return MBEDTLS_ERR_SHA512_BAD_INPUT_DATA;
    *context = {};
    std::ranges::copy(crypto::sha384_start, context->state);
    return 0;
}

int mbedtls_sha512_update(mbedtls_sha512_context* context, const unsigned char* data,
                          std::size_t size) {
    if (size != 0)
        crypto::update(*context, data, size);
    return 0;
}

int mbedtls_sha512_finish(mbedtls_sha512_context* context, unsigned char* digest) {
    crypto::pad(*context);
    constexpr std::size_t words = 6; // of eight: SHA-384 [FIPS 180-4, 6.5]
    for (std::size_t i = 0; i < words; ++i) {
        const be64 word = context->state[i];
        std::memcpy(digest + i * sizeof(word), &word, sizeof(word));
    }
    return 0;
}

} // extern "C"
