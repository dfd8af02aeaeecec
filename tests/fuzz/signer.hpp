// SPDX-License-Identifier: Apache-2.0
//
// An owner's key for the fuzzer's signed payloads, ECDSA P-384, gone with the process. The one in
// tests/unit/signer.hpp reports by Catch2, which does not run here.
#pragma once

#include <memory>

#include "shim/crypto/sha384.hpp"
#include "tests/native/machine.hpp"

struct evp_pkey_st;

namespace tdshim::soundness {

class Signer {
  public:
    Signer();

    /// SHA-384 of the public key.
    [[nodiscard]] const crypto::Digest& key() const { return hash_; }
    /// `contents`, of at least a byte, signed, as a file with SVN 1.
    [[nodiscard]] native::Blob signed_file(Bytes contents) const;

  private:
    struct Free {
        void operator()(evp_pkey_st* key) const;
    };
    std::unique_ptr<evp_pkey_st, Free> key_;
    native::Blob public_key_;
    crypto::Digest hash_{};
};

} // namespace tdshim::soundness
