// SPDX-License-Identifier: Apache-2.0
//
// Keys of the two signing algorithms from files (token_key.hpp has those of tokens), by OpenSSL's
// libcrypto, and signatures made with them. A private key stays inside libcrypto: nothing here
// writes one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shim/crypto/sha384.hpp"
#include "shim/formats/signed_payload/signed_payload.hpp"
#include "tools/common/failure.hpp"

struct evp_pkey_st;

namespace tdshim::tools {

/// As in a signature block: modulus and exponent, or x and y.
struct PublicKey {
    signed_payload::Algorithm algorithm{};
    std::vector<std::byte> bytes;

    /// What is enrolled of it.
    [[nodiscard]] crypto::Digest hash() const { return crypto::sha384(bytes); }
};

/// Of libcrypto's `key`. Refused: any key but RSA of 3072 bits with exponent 65537, and EC on
/// P-384. `name` is for the Failure.
[[nodiscard]] Outcome<PublicKey> public_key_of(const evp_pkey_st* key, const std::string& name);

/// The SubjectPublicKeyInfo in `file`, PEM or DER, or the public key that a PKCS#11 URI names in a
/// token. Refused as by public_key_of().
[[nodiscard]] Outcome<PublicKey> read_public_key(const std::string& file);

class PrivateKey {
  public:
    /// PKCS#8 or the traditional forms, PEM or DER. The passphrase of an encrypted one is the first
    /// line of `passphrase_file`; without such a file libcrypto asks for it on the terminal.
    [[nodiscard]] static Outcome<PrivateKey> read(const std::string& file,
                                                  const std::string& passphrase_file);

    [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
    /// The signature over `message` as in a signature block.
    [[nodiscard]] Outcome<std::vector<std::byte>> sign(Bytes message) const;

  private:
    struct Free {
        void operator()(evp_pkey_st* key) const;
    };
    using Handle = std::unique_ptr<evp_pkey_st, Free>;
    PrivateKey(std::string file, Handle key, PublicKey public_key)
        : file_(std::move(file)), key_(std::move(key)), public_key_(std::move(public_key)) {}

    std::string file_;
    Handle key_;
    PublicKey public_key_;
};

/// A signature that came from elsewhere, as in a signature block: of ECDSA also the DER form that
/// most signers give. `name` is for the Failure.
[[nodiscard]] Outcome<std::vector<std::byte>>
plain_signature(signed_payload::Algorithm algorithm, Bytes signature, const std::string& name);

} // namespace tdshim::tools
