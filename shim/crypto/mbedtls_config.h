/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of mbedTLS that tdshim uses, in firmware and tools alike: SHA-384, and the checking (never the
 * making) of RSASSA-PSS and ECDSA P-384 signatures. No files, no random numbers, no standard library; what
 * allocates takes from an area that the caller gives (shim/crypto/signature.cpp). */
#pragma once

#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_ALT /* shim/crypto/sha512.cpp, on OpenSSL's code */

#define MBEDTLS_HAVE_ASM /* 64 x 64 bit multiplication */
#define MBEDTLS_NO_UDBL_DIVISION /* it would call the compiler's library */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_MD_C
#define MBEDTLS_ASN1_PARSE_C /* demanded by the three below, dropped by the linker */
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_MPI_MAX_SIZE 384 /* bytes: RSA of 3072 bits */
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0 /* no tables: small before fast */
#define MBEDTLS_ECDSA_C

#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
/* Where the allocator finds its own headers overwritten. */
#define MBEDTLS_PLATFORM_EXIT_MACRO(status) __builtin_trap()
