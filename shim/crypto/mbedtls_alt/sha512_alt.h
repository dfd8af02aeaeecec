/* SPDX-License-Identifier: Apache-2.0
 *
 * What mbedTLS's SHA-512 module keeps of a hash, where it is shim/crypto/sha512.cpp (MBEDTLS_SHA512_ALT). */
#pragma once

#include <stdint.h>

typedef struct mbedtls_sha512_context {
    uint64_t state[8];
    uint64_t size;            /* bytes so far */
    unsigned char block[128]; /* those of them behind the last whole block */
} mbedtls_sha512_context;
