// SPDX-License-Identifier: Apache-2.0
//
// Takes a signed payload apart and puts its header together. Nothing here believes a signature:
// shim/verify does.
#pragma once

#include <cstdint>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/formats/signed_payload/wire.hpp"

namespace tdshim::signed_payload {

enum class Algorithm : std::uint32_t {
    rsa_pss_3072_sha384 = 1,
    ecdsa_p384_sha384 = 2,
};

/// "RSAPSS_3072_SHA384", "ECDSA_P384_SHA384".
[[nodiscard]] std::string_view name_of(Algorithm algorithm);

/// td-shim's document numbers the algorithms RSA 1, ECDSA 2; its tools and firmware have them the
/// other way round. The signature blocks differ in size, so that a file says by itself which of the
/// two its signer followed.
enum class Numbering { document, td_shim_tools };

/// The number that stands for `algorithm` in a header.
[[nodiscard]] std::uint32_t number_of(Algorithm algorithm, Numbering numbering);

/// Views into the file. They cover it: signed_bytes, public_key, signature, and nothing behind.
struct SignedPayload {
    Algorithm algorithm{}; ///< that of the signature block
    Numbering numbering{};
    std::uint64_t version = 0;
    std::uint64_t svn = 0;
    Bytes signed_bytes; ///< header and contents
    Bytes contents;
    Bytes public_key; ///< modulus and exponent, or x and y
    Bytes signature;
};

/// Whether `file` begins with the GUID of a signed payload.
[[nodiscard]] bool is_signed(Bytes file);

/// Errors: truncated; signed_payload_guid, _version, _length (contents empty, or beyond the file),
/// _algorithm (neither number), _reserved, _block (what follows the contents is no signature block
/// in size). `at` is an offset in `file`.
[[nodiscard]] Result<SignedPayload> parse(Bytes file);

/// What a signer signed; `file` itself when it is not signed. Nothing is checked but that it is
/// there. Errors: as parse().
[[nodiscard]] Result<Bytes> contents_of(Bytes file);

/// The size of the signed payload at the start of `memory`, which may be larger. There the end does
/// not tell which numbering the signer followed, nor the number which block there is: it is RSA's
/// where the one exponent of these stands in its place, else ECDSA's.
/// Errors: as parse(), but for the block.
[[nodiscard]] Result<std::uint64_t> file_size(Bytes memory);

/// The header of a payload of `contents_size` bytes. Errors: signed_payload_length.
[[nodiscard]] Result<Header> make_header(std::uint64_t contents_size, std::uint64_t version,
                                         std::uint64_t svn, Algorithm algorithm,
                                         Numbering numbering);

} // namespace tdshim::signed_payload
