// SPDX-License-Identifier: Apache-2.0
//
// What a PCK certificate says about its platform, in Intel's extension 1.2.840.113741.1.13.1 [Intel
// SGX PCK Certificate and CRL Profile Specification, 1.3.5].
#pragma once

#include <array>
#include <cstdint>

#include <openssl/x509.h>

#include "shim/base/bytes.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

using Svns = std::array<std::uint8_t, 16>;

struct PckExtensions {
    std::array<std::byte, 6> fmspc{}; ///< the platform's family, model, stepping and kind
    std::array<std::byte, 2> pce_id{};
    Svns svns{}; ///< of the components of SGX's TCB
    std::uint16_t pce_svn = 0;
};

/// Whether the certificate has the extension: no other certificate of Intel's chains does.
[[nodiscard]] bool has_pck_extensions(const X509& certificate);

/// Errors are sentences: a member that is lacking, twice there, or of another form.
[[nodiscard]] Outcome<PckExtensions> pck_extensions_of(const X509& certificate);

} // namespace tdshim::tools
