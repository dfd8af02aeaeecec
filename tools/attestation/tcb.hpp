// SPDX-License-Identifier: Apache-2.0
//
// How good a platform's TCB is, by Intel's rules [Intel SGX and TDX Provisioning Certification
// Service API, "Get TDX TCB Info", "Get TD QE Identity"; Intel SGX ECDSA QuoteVerification].
#pragma once

#include <string>
#include <vector>

#include "tools/attestation/collateral.hpp"

namespace tdshim::tools {

struct TcbVerdict {
    TcbStatus status = TcbStatus::revoked;
    std::vector<std::string> advisories;
};

/// Of the platform: the first level whose every SVN it reaches. The TDX module's two components
/// count only where the module has no version of its own. Errors are sentences: no level is
/// reached.
[[nodiscard]] Outcome<TcbVerdict> platform_tcb(const TcbInfo& info, const PckExtensions& pck,
                                               const QuoteBody& body);

/// Of the TDX module, by its version: who signed it, its attributes, its SVN. A module without a
/// version has no status of its own: up to date. Errors are sentences.
[[nodiscard]] Outcome<TcbVerdict> module_tcb(const TcbInfo& info, const QuoteBody& body);

/// Of the quoting enclave: whether it is Intel's, and how new. Errors are sentences.
[[nodiscard]] Outcome<TcbVerdict> enclave_tcb(const EnclaveIdentity& identity,
                                              const EnclaveReport& report);

/// What the three make together.
[[nodiscard]] TcbVerdict together(const TcbVerdict& platform, const TcbVerdict& module,
                                  const TcbVerdict& enclave);

} // namespace tdshim::tools
