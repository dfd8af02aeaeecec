// SPDX-License-Identifier: Apache-2.0
//
// td-shim's signed payload: header, contents, then a public key and its signature over both
// [td-shim doc/secure_boot.md, "Signed Payload format"].
#pragma once

#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/base/guid.hpp"
#include "shim/crypto/signature.hpp"

namespace tdshim::signed_payload {

using namespace tdshim::literals;

inline constexpr Guid header_guid = "fcf2d558-9df5-4f4d-b0d7-3e4b798ab066"_guid;
inline constexpr std::uint32_t struct_version = 1;

struct Header {
    Guid type;            // 0
    le32 version;         // 16: of this structure
    le32 length;          // 20: bytes of header and contents
    le64 payload_version; // 24
    le64 svn;             // 32: secure version number
    le32 algorithm;       // 40
    le32 reserved;        // 44: zero
};
static_assert(sizeof(Header) == 48);

/// Modulus and exponent, big-endian, and the signature.
inline constexpr std::size_t rsa_block_size = crypto::rsa_key_size + crypto::rsa_signature_size;
static_assert(rsa_block_size == 776);
/// x, y, r and s, big-endian.
inline constexpr std::size_t ecdsa_block_size =
    crypto::ecdsa_key_size + crypto::ecdsa_signature_size;
static_assert(ecdsa_block_size == 192);

} // namespace tdshim::signed_payload
