// SPDX-License-Identifier: Apache-2.0
//
// An owner's key for the fuzzers' signed payloads, by OpenSSL's libcrypto, gone with the process.
// The one in tests/unit/signer.hpp reports by Catch2, which does not run here.
#pragma once

#include <memory>
#include <vector>

#include "shim/crypto/sha384.hpp"
#include "shim/formats/signed_payload/signed_payload.hpp"

struct evp_md_ctx_st;
struct evp_pkey_st;

namespace tdshim::fuzz {

class Signer {
  public:
    explicit Signer(signed_payload::Algorithm algorithm);

    /// As in a signature block.
    [[nodiscard]] Bytes public_key() const { return public_key_; }
    /// SHA-384 of the public key.
    [[nodiscard]] const crypto::Digest& key() const { return hash_; }
    /// `contents`, of at least a byte, signed, as a file with SVN 1.
    [[nodiscard]] std::vector<std::byte> signed_file(Bytes contents) const;
    /// What libcrypto says of a signature of the form in a signature block.
    [[nodiscard]] bool verifies(Bytes message, Bytes signature) const;

  private:
    struct Free {
        void operator()(evp_pkey_st* key) const;
        void operator()(evp_md_ctx_st* context) const;
    };
    using Context = std::unique_ptr<evp_md_ctx_st, Free>;

    [[nodiscard]] bool is_rsa() const;
    [[nodiscard]] Context context_for(bool signs) const;
    [[nodiscard]] std::vector<std::byte> sign(Bytes message) const;

    signed_payload::Algorithm algorithm_;
    std::unique_ptr<evp_pkey_st, Free> key_;
    std::vector<std::byte> public_key_;
    crypto::Digest hash_{};
};

} // namespace tdshim::fuzz
