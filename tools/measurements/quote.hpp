// SPDX-License-Identifier: Apache-2.0
//
// A TDX quote as it stands in a file [Intel TDX DCAP Quote Generation Library, Appendix 3; Intel
// SGX ECDSA QuoteGenReference, Appendix A]: version 4, or version 5 with a body of TDX 1.0 or 1.5.
// Little-endian, but for what ECDSA signs with. Nothing here checks a signature.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/crypto/sha384.hpp"
#include "shim/formats/tdx/report.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// What stands around the reports, in the order of the file.
namespace quote_layout {

inline constexpr std::uint32_t tee_type_tdx = 0x81;
inline constexpr std::uint16_t body_tdx_1_0 = 2;
inline constexpr std::uint16_t body_tdx_1_5 = 3;
inline constexpr std::uint16_t key_ecdsa_p256 = 2;
inline constexpr std::uint16_t certification_pck_chain = 5;
inline constexpr std::uint16_t certification_enclave_report = 6;
inline constexpr std::array intel_vendor{
    // QE_VENDOR_ID of Intel's quoting enclave
    std::byte{0x93}, std::byte{0x9A}, std::byte{0x72}, std::byte{0x33},
    std::byte{0xF7}, std::byte{0x9C}, std::byte{0x4C}, std::byte{0xA9},
    std::byte{0x94}, std::byte{0x0A}, std::byte{0x0D}, std::byte{0xB3},
    std::byte{0x95}, std::byte{0x7F}, std::byte{0x06}, std::byte{0x07}};

struct QuoteHeader {
    le16 version;                        // 0
    le16 key_type;                       // 2
    le32 tee_type;                       // 4
    std::array<std::byte, 4> reserved;   // 8
    std::array<std::byte, 16> vendor;    // 12
    std::array<std::byte, 20> user_data; // 28
};
static_assert(sizeof(QuoteHeader) == 48);

/// Precedes the body of a quote of version 5.
struct BodyDescriptor {
    le16 type; // 0: 2 for TDX 1.0, 3 for TDX 1.5
    le32 size; // 2
};
static_assert(sizeof(BodyDescriptor) == 6);

struct CertificationHeader {
    le16 type; // 0
    le32 size; // 2
};
static_assert(sizeof(CertificationHeader) == 6);

} // namespace quote_layout

/// The TD's report inside the quote: what both kinds of body begin with.
struct QuoteBody {
    std::array<std::byte, 16> tee_tcb_svn; // 0: 0 and 1 the module's, then the platform's
    crypto::Digest mr_seam;                // 16
    crypto::Digest mr_signer_seam;         // 64
    le64 seam_attributes;                  // 112
    le64 attributes;                       // 120
    le64 xfam;                             // 128
    crypto::Digest mrtd;                   // 136
    crypto::Digest mr_config_id;           // 184
    crypto::Digest mr_owner;               // 232
    crypto::Digest mr_owner_config;        // 280
    std::array<crypto::Digest, 4> rtmr;    // 328
    tdx::ReportData report_data;           // 520
};
static_assert(sizeof(QuoteBody) == 584);

/// What a body of TDX 1.5 has behind that.
struct QuoteBodyTail {
    std::array<std::byte, 16> tee_tcb_svn_2; // 584
    crypto::Digest servtd_hash;              // 600
};
static_assert(sizeof(QuoteBody) + sizeof(QuoteBodyTail) == 648);

/// Header and body.
struct QuotedTd {
    std::uint16_t version = 0;
    std::uint16_t key_type = 0; ///< of the attestation key
    std::array<std::byte, 16> vendor{};
    QuoteBody body{};
    /// Of the TDX module now, where the body has it: the other one is of when the TD began.
    std::optional<std::array<std::byte, 16>> tee_tcb_svn_2{};
    /// Likewise; zero where no service TD is bound.
    std::optional<crypto::Digest> servtd_hash{};
};

/// Takes header and body. Errors: truncated, quote_version, quote_tee_type, quote_body_type.
[[nodiscard]] Result<QuotedTd> take_quoted_td(Reader& quote);

using EcNumbers = std::array<std::byte, 64>; ///< r and s, or x and y, of P-256, big-endian

/// REPORT of the SGX enclave that signed the quote [Intel SDM, 35.15].
struct EnclaveReport {
    std::array<std::byte, 16> cpu_svn;      // 0
    le32 misc_select;                       // 16
    std::array<std::byte, 28> reserved_20;  // 20
    std::array<std::byte, 16> attributes;   // 48
    std::array<std::byte, 32> mr_enclave;   // 64
    std::array<std::byte, 32> reserved_96;  // 96
    std::array<std::byte, 32> mr_signer;    // 128
    std::array<std::byte, 96> reserved_160; // 160
    le16 isv_prod_id;                       // 256
    le16 isv_svn;                           // 258
    std::array<std::byte, 60> reserved_260; // 260
    tdx::ReportData report_data;            // 320
};
static_assert(sizeof(EnclaveReport) == 384);

/// A whole quote; views into its bytes.
struct Quote {
    QuotedTd td;
    Bytes signed_bytes{}; ///< header and body
    EcNumbers signature{};
    EcNumbers attestation_key{};
    EnclaveReport enclave_report{};
    EcNumbers enclave_signature{};
    Bytes authentication_data; ///< of the enclave
    Bytes pck_chain;           ///< PEM
    std::size_t unread = 0;    ///< bytes of the signature that are part of nothing
    Bytes behind;              ///< the quote's end: nobody signed it
};

/// A quote by an ECDSA key of P-256, with the certificates of the platform inside. Errors name
/// `file`, the offset in it, what was expected and what was found.
[[nodiscard]] Outcome<Quote> parse_quote(std::string_view file, Bytes quote);

} // namespace tdshim::tools
