// SPDX-License-Identifier: Apache-2.0
//
// An emulated quoting enclave: from a TD's report to its quote [Intel TDX DCAP Quote Generation
// Library, Appendix 3].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/quoting/key.hpp"

namespace tdshim::quoting {

enum class QuoteVersion : std::uint8_t {
    v4, ///< with a body of TDX 1.0
    v5, ///< with a body of TDX 1.5
};

/// What the enclave signs with, and who vouches for it.
struct EnclaveKeys {
    const Key* attestation = nullptr; ///< its own
    const Key* platform = nullptr;    ///< the PCK certificate's
    std::string pck_chain;            ///< PEM
};

/// Errors are sentences: `report` is no report of an emulated TD's, or a digest in it is not that
/// of its parts.
[[nodiscard]] tools::Outcome<std::vector<std::byte>> quote_of(Bytes report, QuoteVersion version,
                                                              const EnclaveKeys& keys);

/// How a relying party knows the enclave.
struct EnclaveFacts {
    std::array<std::byte, 16> attributes;
    std::array<std::byte, 32> signer;
    std::uint16_t product;
    std::uint16_t svn;
};
[[nodiscard]] EnclaveFacts enclave_facts();

} // namespace tdshim::quoting
