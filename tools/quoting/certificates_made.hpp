// SPDX-License-Identifier: Apache-2.0
//
// Certificates and revocation lists as Intel's are, of keys of our own [Intel SGX PCK Certificate
// and CRL Profile Specification].
#pragma once

#include <cstdint>
#include <ctime>
#include <string>

#include "tools/attestation/certificates.hpp"
#include "tools/attestation/pck_extensions.hpp"
#include "tools/quoting/key.hpp"

namespace tdshim::quoting {

/// Whose names stand in certificates.
enum class Names : std::uint8_t {
    emulated, ///< each says EMULATED
    intel,    ///< for verifiers that insist on Intel's
};

enum class CertificateKind : std::uint8_t { root, platform_authority, pck, tcb_signer };

/// "EMULATED SGX Root CA" or "Intel SGX Root CA"
[[nodiscard]] std::string common_name(Names names, CertificateKind kind);

/// From when, until when.
struct Validity {
    std::time_t begin = 0;
    std::time_t end = 0;
};

struct Issuer {
    const X509* certificate = nullptr; ///< nullptr: it signs itself
    const Key* key = nullptr;
};

/// `platform` is for a PCK certificate.
[[nodiscard]] tools::Outcome<tools::Certificate>
make_certificate(Names names, CertificateKind kind, const Key& key, const Issuer& issuer,
                 const Validity& validity, const tools::PckExtensions& platform);

/// One with nothing on it.
[[nodiscard]] tools::Outcome<tools::RevocationList> make_revocation_list(const Issuer& issuer,
                                                                         const Validity& validity);

[[nodiscard]] tools::Outcome<std::string> pem_of(const X509& certificate);
[[nodiscard]] tools::Outcome<std::vector<std::byte>> der_of(const X509_CRL& list);

} // namespace tdshim::quoting
