// SPDX-License-Identifier: Apache-2.0
//
// What Intel's Provisioning Certification Service says of platforms, as files: TCB information,
// the quoting enclave's identity, certificate chains and revocation lists [Intel SGX and TDX
// Provisioning Certification Service API, version 4]. JSON is checked by its signature over the
// bytes as they came.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/attestation/certificates.hpp"
#include "tools/attestation/pck_extensions.hpp"

namespace tdshim::tools {

enum class TcbStatus {
    up_to_date,
    sw_hardening_needed,
    configuration_needed,
    configuration_and_sw_hardening_needed,
    out_of_date,
    out_of_date_configuration_needed,
    revoked,
};
/// As Intel writes it: "SWHardeningNeeded".
[[nodiscard]] std::string_view name_of(TcbStatus status);

/// A level of which the first that a platform reaches is its own.
struct TcbLevel {
    Svns svns{};               ///< of SGX's components, at least
    std::uint16_t pce_svn = 0; ///< at least
    Svns tdx_svns{};           ///< at least
    TcbStatus status = TcbStatus::revoked;
    std::vector<std::string> advisories;
};

/// The same of an enclave or of the TDX module.
struct SvnLevel {
    std::uint16_t svn = 0; ///< at least
    TcbStatus status = TcbStatus::revoked;
    std::vector<std::string> advisories;
};

/// A TDX module, by who signed it.
struct ModuleIdentity {
    std::string id; ///< "TDX_01"; empty for the one that has no version of its own
    std::vector<std::byte> signer;
    std::vector<std::byte> attributes;
    std::vector<std::byte> attributes_mask;
    std::vector<SvnLevel> levels;
};

struct Dates {
    std::time_t issued = 0;
    std::time_t next_update = 0;
};

struct TcbInfo {
    Dates dates;
    std::uint64_t evaluation = 0; ///< tcbEvaluationDataNumber
    std::vector<std::byte> fmspc;
    std::vector<std::byte> pce_id;
    ModuleIdentity module;
    std::vector<ModuleIdentity> modules; ///< by version
    std::vector<TcbLevel> levels;
};

struct EnclaveIdentity {
    Dates dates;
    std::uint64_t evaluation = 0;
    std::vector<std::byte> misc_select;
    std::vector<std::byte> misc_select_mask;
    std::vector<std::byte> attributes;
    std::vector<std::byte> attributes_mask;
    std::vector<std::byte> signer;
    std::uint16_t product = 0;
    std::vector<SvnLevel> levels;
};

/// JSON with a signature, and who is said to have made it.
struct SignedJson {
    std::string file;
    std::vector<std::byte> bytes; ///< of the file
    Bytes content;                ///< what is signed: a view into `bytes`
    EcNumbers signature{};
    Chain chain;
};

/// What `--collateral DIR` holds.
struct Collateral {
    SignedJson tcb_info;
    SignedJson enclave_identity;
    TcbInfo tcb;
    EnclaveIdentity enclave;
    RevocationList root_list;
    RevocationList pck_list;
};

/// Reads tcbinfo.json, qeidentity.json, their -issuer-chain.pem, rootcrl.der and pckcrl.der of
/// `folder`. Nothing is checked yet but the form. Errors name the file and the member.
[[nodiscard]] Outcome<Collateral> read_collateral(const std::string& folder);

/// The object `member` of {"member":{...},"signature":"..."} in `file`. Errors name it.
[[nodiscard]] Outcome<SignedJson>
split_signed_json(const std::string& file, std::vector<std::byte> bytes, std::string_view member);
[[nodiscard]] Outcome<TcbInfo> parse_tcb_info(const std::string& file, Bytes content);
[[nodiscard]] Outcome<EnclaveIdentity> parse_enclave_identity(const std::string& file,
                                                              Bytes content);

} // namespace tdshim::tools
