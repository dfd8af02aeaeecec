// SPDX-License-Identifier: Apache-2.0
//
// Checks of signatures over a SHA-384 digest, by mbedTLS: RSASSA-PSS of 3072 bits [RFC 8017, 8.1.2]
// and ECDSA on P-384 [FIPS 186-5, 6.4.2], with every parameter fixed. Keys and signatures are plain
// big-endian numbers, as in td-shim's signed payload. Nothing here signs.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "shim/base/bytes.hpp"
#include "shim/crypto/sha384.hpp"

namespace tdshim::crypto {

inline constexpr std::size_t rsa_modulus_size = 384;
inline constexpr std::size_t rsa_key_size = rsa_modulus_size + 8;
inline constexpr std::uint64_t rsa_exponent = 65537; ///< of every key
inline constexpr std::size_t rsa_signature_size = rsa_modulus_size;
inline constexpr std::size_t p384_number_size = 48;
inline constexpr std::size_t ecdsa_key_size = 2 * p384_number_size;
inline constexpr std::size_t ecdsa_signature_size = 2 * p384_number_size;

using RsaKey = std::span<const std::byte, rsa_key_size>;     ///< modulus, exponent
using EcdsaKey = std::span<const std::byte, ecdsa_key_size>; ///< x, y
using RsaSignature = std::span<const std::byte, rsa_signature_size>;
using EcdsaSignature = std::span<const std::byte, ecdsa_signature_size>; ///< r, s

/// What a check allocates from. mbedTLS 3.6.6 takes 8.1 KiB for RSA and 8.8 KiB for ECDSA; besides,
/// a check takes less than 4 KiB of stack (1.9 KiB as the firmware is built).
inline constexpr std::size_t signature_memory_size = 16384;
struct alignas(16) SignatureMemory {
    std::array<std::byte, signature_memory_size> bytes{};
};

/// RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of exactly 48 bytes.
/// Errors: signature_modulus (not odd with exactly 3072 bits), signature_exponent (not 65537),
/// signature_wrong, memory_exhausted. One check at a time: mbedTLS has one allocator.
[[nodiscard]] Result<void> check_rsa_pss(RsaKey key, const Digest& digest, RsaSignature signature,
                                         MutableBytes memory);

/// ECDSA on P-384. A large s is as good as a small one [FIPS 186-5].
/// Errors: signature_point (not on the curve), signature_range (r or s is 0 or not below the
/// curve's order), signature_wrong, memory_exhausted. One check at a time, as above.
[[nodiscard]] Result<void> check_ecdsa_p384(EcdsaKey key, const Digest& digest,
                                            EcdsaSignature signature, MutableBytes memory);

} // namespace tdshim::crypto
