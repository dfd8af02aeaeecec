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

/// A nonce's size in bytes: what is shorter can be guessed or comes again.
inline constexpr std::size_t min_nonce_size = 16;
inline constexpr std::size_t max_nonce_size = 64;

/// The bytes of a nonce in hexadecimal digits. Errors are sentences.
[[nodiscard]] Outcome<std::vector<std::byte>> parse_nonce(const std::string& digits);

/// The file that is bound with a nonce; no bytes without a name. One that is empty is refused: it
/// would bind nothing, where something was asked for.
[[nodiscard]] Outcome<std::vector<std::byte>> read_bound(const std::string& file);

/// REPORTDATA that binds `nonce` and what is bound with it, which may be nothing: SHA-512 over
/// "tdshim-evidence-1", SHA-512 of the nonce and SHA-512 of the other, so that nobody takes an end
/// of the one for the beginning of the other.
[[nodiscard]] Outcome<tdx::ReportData> report_data_of(Bytes nonce, Bytes bound);

} // namespace tdshim::tools
