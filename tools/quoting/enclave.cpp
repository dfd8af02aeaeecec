// SPDX-License-Identifier: Apache-2.0
#include "tools/quoting/enclave.hpp"

#include <array>
#include <format>
#include <openssl/sha.h>

#include "shim/formats/tdx/report.hpp"
#include "tools/tdx-model/emulated.hpp"

namespace tdshim::quoting {

using tdx_model::emulated;
using tools::EnclaveReport;
using tools::Failure;
using tools::Outcome;
namespace layout = tools::quote_layout;

namespace {

constexpr std::uint8_t report_type_td = 0x81;

Outcome<> check_report(const tdx::Report& report) {
    const tdx::ReportMac& mac = report.report_mac;
    const auto wrong = [](std::string_view what) {
        return std::unexpected(Failure{std::format("the TD's report {}", what)});
    };
    if (mac.type != report_type_td)
        return wrong(std::format("has type {:#x}, not that of a TD's", mac.type));
    if (mac.mac != emulated<32>())
        return wrong("has a MAC that no emulated TD's has");
    if (mac.tee_tcb_info_hash != crypto::sha384(bytes_of(report.tee_tcb_info)) ||
        mac.tee_info_hash != crypto::sha384(bytes_of(report.td_info)))
        return wrong("was changed: a digest is not that of its parts");
    return {};
}

tools::QuoteBody body_of(const tdx::Report& report) {
    return {.tee_tcb_svn = report.tee_tcb_info.tee_tcb_svn,
            .mr_seam = report.tee_tcb_info.mr_seam,
            .mr_signer_seam = report.tee_tcb_info.mr_signer_seam,
            .seam_attributes = report.tee_tcb_info.attributes,
            .attributes = report.td_info.attributes,
            .xfam = report.td_info.xfam,
            .mrtd = report.td_info.mrtd,
            .mr_config_id = report.td_info.mr_config_id,
            .mr_owner = report.td_info.mr_owner,
            .mr_owner_config = report.td_info.mr_owner_config,
            .rtmr = report.td_info.rtmr,
            .report_data = report.report_mac.report_data};
}

/// Header and body: what is signed.
std::vector<std::byte> signed_part(const tdx::Report& report, QuoteVersion version) {
    const bool is_v5 = version == QuoteVersion::v5;
    std::vector<std::byte> bytes;
    bytes.append_range(
        bytes_of(layout::QuoteHeader{.version = static_cast<std::uint16_t>(is_v5 ? 5 : 4),
                                     .key_type = layout::key_ecdsa_p256,
                                     .tee_type = layout::tee_type_tdx,
                                     .reserved = {},
                                     .vendor = layout::intel_vendor,
                                     .user_data = {}}));
    if (is_v5)
        bytes.append_range(bytes_of(layout::BodyDescriptor{.type = layout::body_tdx_1_5,
                                                           .size = sizeof(tools::QuoteBody) +
                                                                   sizeof(tools::QuoteBodyTail)}));
    bytes.append_range(bytes_of(body_of(report)));
    if (is_v5)
        bytes.append_range(
            bytes_of(tools::QuoteBodyTail{.tee_tcb_svn_2 = report.tee_tcb_info.tee_tcb_svn,
                                          .servtd_hash = report.td_info.servtd_hash}));
    return bytes;
}

std::vector<std::byte> data_of_type(std::uint16_t type, Bytes data) {
    std::vector<std::byte> bytes;
    bytes.append_range(bytes_of(layout::CertificationHeader{
        .type = type, .size = static_cast<std::uint32_t>(data.size())}));
    bytes.append_range(data);
    return bytes;
}

/// It vouches for the attestation key.
EnclaveReport enclave_report(const tools::EcNumbers& attestation_key, Bytes authentication) {
    std::vector<std::byte> bound(attestation_key.begin(), attestation_key.end());
    bound.append_range(authentication);
    const EnclaveFacts facts = enclave_facts();
    EnclaveReport report{.cpu_svn = emulated<16>(),
                         .misc_select = 0,
                         .reserved_20 = {},
                         .attributes = facts.attributes,
                         .mr_enclave = emulated<32>(),
                         .reserved_96 = {},
                         .mr_signer = facts.signer,
                         .reserved_160 = {},
                         .isv_prod_id = facts.product,
                         .isv_svn = facts.svn,
                         .reserved_260 = {},
                         .report_data = {}};
    SHA256(tools::openssl::characters(Bytes(bound)), bound.size(),
           tools::openssl::characters(MutableBytes(report.report_data)));
    return report;
}

/// The enclave's report, signed by the platform, and the platform's certificates.
Outcome<std::vector<std::byte>> certification(const EnclaveKeys& keys) {
    const std::array<std::byte, 32> authentication = emulated<32>();
    const EnclaveReport report = enclave_report(TRY(keys.attestation->point()), authentication);
    const auto signature = TRY(keys.platform->sign(bytes_of(report)));
    std::vector<std::byte> data;
    data.append_range(bytes_of(report));
    data.append_range(signature);
    data.append_range(bytes_of(le16{static_cast<std::uint16_t>(authentication.size())}));
    data.append_range(authentication);
    data.append_range(
        data_of_type(layout::certification_pck_chain, std::as_bytes(std::span(keys.pck_chain))));
    return data;
}

} // namespace

EnclaveFacts enclave_facts() {
    return {.attributes = {std::byte{0x11}}, // INIT, PROVISIONKEY
            .signer = emulated<32>(),
            .product = 2, // as Intel's for TDs
            .svn = 4};
}

Outcome<std::vector<std::byte>> quote_of(Bytes bytes, QuoteVersion version,
                                         const EnclaveKeys& keys) {
    const auto report = read_at<tdx::Report>(bytes, 0);
    if (!report || bytes.size() != sizeof(tdx::Report))
        return std::unexpected(Failure{std::format("expected a TD's report of {} bytes, found {}",
                                                   sizeof(tdx::Report), bytes.size())});
    TRY(check_report(*report));
    std::vector<std::byte> quote = signed_part(*report, version);
    std::vector<std::byte> data;
    data.append_range(TRY(keys.attestation->sign(quote)));
    data.append_range(TRY(keys.attestation->point()));
    const auto certified = TRY(certification(keys));
    data.append_range(data_of_type(layout::certification_enclave_report, certified));
    quote.append_range(bytes_of(le32{static_cast<std::uint32_t>(data.size())}));
    quote.append_range(data);
    return quote;
}

} // namespace tdshim::quoting
