// SPDX-License-Identifier: Apache-2.0
//
// A key pair on P-256, as the certificates and enclaves of Intel's attestation have them.
#pragma once

#include <string>

#include <openssl/evp.h>

#include "tools/common/failure.hpp"
#include "tools/common/openssl.hpp"
#include "tools/measurements/quote.hpp"

namespace tdshim::quoting {

class Key {
  public:
    /// A new one.
    [[nodiscard]] static tools::Outcome<Key> make();
    /// One in PEM. Errors name `file`.
    [[nodiscard]] static tools::Outcome<Key> read(const std::string& file);

    /// PKCS #8 in PEM, not encrypted.
    [[nodiscard]] tools::Outcome<std::string> text() const;
    /// x and y.
    [[nodiscard]] tools::Outcome<tools::EcNumbers> point() const;
    /// ECDSA with SHA-256: r and s over `message`.
    [[nodiscard]] tools::Outcome<tools::EcNumbers> sign(Bytes message) const;
    [[nodiscard]] EVP_PKEY* handle() const { return key_.get(); }

  private:
    using Handle = tools::openssl::Handle<EVP_PKEY, &EVP_PKEY_free>;
    explicit Key(Handle key) : key_(std::move(key)) {}

    Handle key_;
};

/// What libcrypto says of its last error, behind `what`.
[[nodiscard]] tools::Failure libcrypto_failure(std::string_view what);

} // namespace tdshim::quoting
