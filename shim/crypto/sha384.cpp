// SPDX-License-Identifier: Apache-2.0
#include "shim/crypto/sha384.hpp"

namespace tdshim::crypto {
namespace {
// mbedTLS counts bytes as unsigned char. Its software SHA-512 has no way to fail once the variant
// (1: SHA-384) is valid, so the status codes carry nothing to act on.
const unsigned char* characters(Bytes bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
} // namespace

Sha384::Sha384() {
    mbedtls_sha512_init(&context_);
    static_cast<void>(mbedtls_sha512_starts(&context_, 1));
}

void Sha384::update(Bytes bytes) {
    static_cast<void>(mbedtls_sha512_update(&context_, characters(bytes), bytes.size()));
}

Digest Sha384::finish() {
    Digest digest{};
    static_cast<void>(
        mbedtls_sha512_finish(&context_, reinterpret_cast<unsigned char*>(digest.data())));
    mbedtls_sha512_free(&context_);
    return digest;
}

Digest sha384(Bytes bytes) {
    return sha384(bytes, {});
}

Digest sha384(Bytes first, Bytes second) {
    Sha384 hash;
    hash.update(first);
    hash.update(second);
    return hash.finish();
}

} // namespace tdshim::crypto
