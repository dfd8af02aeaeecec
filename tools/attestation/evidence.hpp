// SPDX-License-Identifier: Apache-2.0
//
// A TD's evidence as a file: the JSON object that Trustee's verifier for TDX reads, {"quote": ...,
// "cc_eventlog": ...} in base64 [confidential-containers/trustee, deps/verifier/src/tdx].
#pragma once

#include <string>

#include "tools/attestation/verdict.hpp"

namespace tdshim::tools {

/// Other members are left alone; cc_eventlog may lack or be null. Errors name the file and the
/// member.
[[nodiscard]] Outcome<Evidence> parse_evidence(const std::string& file, Bytes bytes);

/// REPORTDATA that binds `nonce` and what is bound with it: SHA-512 over the one behind the other.
[[nodiscard]] Outcome<tdx::ReportData> report_data_of(Bytes nonce, Bytes bound);

} // namespace tdshim::tools
