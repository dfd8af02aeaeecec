// SPDX-License-Identifier: Apache-2.0
//
// Certificates and revocation lists by OpenSSL's libcrypto, and ECDSA on P-256 as Intel's quotes
// and collateral have it [Intel SGX PCK Certificate and CRL Profile Specification].
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include <openssl/x509.h>

#include "tools/common/failure.hpp"
#include "tools/common/openssl.hpp"
#include "tools/measurements/quote.hpp"

namespace tdshim::tools {

using Certificate = openssl::Handle<X509, &X509_free>;
using RevocationList = openssl::Handle<X509_CRL, &X509_CRL_free>;
/// The signer first, its issuer next, the root last.
using Chain = std::vector<Certificate>;

/// The certificates in PEM in `text`, in their order; at least one, at most 8. Blanks may stand
/// between and zeros behind them, and nothing else. Errors name `name` and the offset.
[[nodiscard]] Outcome<Chain> parse_chain(const std::string& name, Bytes text);

/// DER or PEM, and nothing else. Errors name `file`.
[[nodiscard]] Outcome<RevocationList> parse_revocation_list(const std::string& file, Bytes bytes);

/// "Intel SGX PCK Certificate"
[[nodiscard]] std::string common_name(const X509& certificate);

/// When it begins to be valid, and when that ends, in RFC 3339; "?" for a time that is none.
[[nodiscard]] std::string begin_of(const X509& certificate);
[[nodiscard]] std::string end_of(const X509& certificate);

/// Whether the certificate's key is `key`, a point on P-256.
[[nodiscard]] bool has_key(const X509& certificate, const EcNumbers& key);

/// When things have to be valid.
struct Moment {
    std::time_t time = 0;
    bool ignores_dates = false; ///< what has a date is taken at any time
};

/// RFC 3339 in UTC, "2023-06-20T12:00:00Z"; nothing for any other text.
[[nodiscard]] std::optional<std::time_t> time_of(std::string_view text);
[[nodiscard]] std::string text_of(std::time_t time);

/// Whether the certificate is one that signs things and no other certificates.
[[nodiscard]] bool is_signer(const X509& certificate);

/// Whether `chain` leads to `root`, which is its last, from each certificate to the next, with
/// every signature and date, and nothing in it revoked: a list of each issuer has to be there.
/// Errors are sentences, which name the certificate.
[[nodiscard]] Outcome<> check_chain(const Chain& chain, const X509& root,
                                    const std::vector<const X509_CRL*>& lists,
                                    const Moment& moment);

/// ECDSA with SHA-256: r and s over `message`.
[[nodiscard]] bool is_signed_by(const X509& signer, Bytes message, const EcNumbers& signature);
[[nodiscard]] bool is_signed_by(const EcNumbers& key, Bytes message, const EcNumbers& signature);

} // namespace tdshim::tools
