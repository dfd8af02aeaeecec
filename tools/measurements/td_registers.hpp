// SPDX-License-Identifier: Apache-2.0
//
// What a TD's TDREPORT or quote says about its measurements, and the hash of it that other TDs see.
// Nothing here checks a signature or a MAC: that is a verifier's, with Intel's certificates.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/crypto/sha384.hpp"
#include "shim/formats/tdx/report.hpp"
#include "tools/common/failure.hpp"
#include "tools/measurements/quote.hpp"

namespace tdshim::tools {

/// Of a TD's ATTRIBUTES the group TUD, "TD under debug", bits 7 to 0 [Intel TDX Module 1.5 ABI,
/// ATTRIBUTES]: who trusts such a TD trusts its VMM.
inline constexpr std::uint64_t attributes_under_debug = 0xFF;

/// The measured part of a TD as the TDX module keeps it, and where it was read.
struct TdRegisters {
    tdx::TdInfo info{};
    std::string_view source; ///< "TDREPORT", "quote v4", "quote v5"
};

/// From a TDREPORT_STRUCT of 1024 bytes [Intel TDX Module 1.5 ABI, TDREPORT_STRUCT], as
/// /dev/tdx_guest gives it: of a TD, formed as the module forms it, and with the hash in what the
/// MAC covers that its TDINFO has. The MAC itself only the processor can check. Errors name `file`,
/// offset, what was expected and what was found.
[[nodiscard]] Outcome<TdRegisters> registers_of_report(std::string_view file, Bytes report);

[[nodiscard]] TdRegisters registers_of(const QuotedTd& td);

/// From a quote, version 4, or version 5 with a body of TDX 1.0 or 1.5 [Intel TDX DCAP Quote
/// Generation Library, Appendix 3]. Errors: truncated, quote_version, quote_tee_type,
/// quote_body_type.
[[nodiscard]] Result<TdRegisters> registers_of_quote(Bytes quote);

/// TEE_INFO_HASH of a TDREPORT: SHA-384 of TDINFO_STRUCT.
[[nodiscard]] crypto::Digest td_info_hash(const tdx::TdInfo& info);

} // namespace tdshim::tools
