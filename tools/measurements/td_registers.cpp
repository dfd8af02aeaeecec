// SPDX-License-Identifier: Apache-2.0
#include "tools/measurements/td_registers.hpp"

#include <cstddef>
#include <format>
#include <utility>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

constexpr std::uint8_t report_type_td = 0x81;
constexpr std::uint8_t latest_report_version = 1;
constexpr std::uint32_t tee_type_tdx = 0x81;

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

/// What both TDX bodies begin with.
struct QuoteBody {
    std::array<std::byte, 16> tee_tcb_svn;                    // 0
    crypto::Digest mr_seam;                                   // 16
    crypto::Digest mr_signer_seam;                            // 64
    le64 seam_attributes;                                     // 112
    le64 attributes;                                          // 120
    le64 xfam;                                                // 128
    crypto::Digest mrtd;                                      // 136
    crypto::Digest mr_config_id;                              // 184
    crypto::Digest mr_owner;                                  // 232
    crypto::Digest mr_owner_config;                           // 280
    std::array<crypto::Digest, 4> rtmr;                       // 328
    std::array<std::byte, tdx::report_data_size> report_data; // 520
};
static_assert(sizeof(QuoteBody) == 584);

/// What TDX 1.5 has behind it.
struct QuoteBodyTail {
    std::array<std::byte, 16> tee_tcb_svn_2; // 584
    crypto::Digest servtd_hash;              // 600
};
static_assert(sizeof(QuoteBody) + sizeof(QuoteBodyTail) == 648);

constexpr std::uint16_t body_tdx_1_0 = 2;
constexpr std::uint16_t body_tdx_1_5 = 3;

tdx::TdInfo info_of(const QuoteBody& body) {
    return {.attributes = body.attributes,
            .xfam = body.xfam,
            .mrtd = body.mrtd,
            .mr_config_id = body.mr_config_id,
            .mr_owner = body.mr_owner,
            .mr_owner_config = body.mr_owner_config,
            .rtmr = body.rtmr,
            .servtd_hash = {},
            .reserved = {}};
}

std::unexpected<Failure> wrong(std::string_view file, std::string_view what, std::size_t at,
                               std::string_view expected, std::string_view found) {
    return std::unexpected(failure(file, std::format("{} at offset {}: expected {}, found {}", what,
                                                     hex(at), expected, found)));
}

/// REPORTTYPE. Version 1 has the hash of the service TDs that are bound; in version 0 there are
/// none.
Outcome<> check_form(std::string_view file, const tdx::Report& report) {
    const tdx::ReportMac& mac = report.report_mac;
    if (mac.type != report_type_td)
        return std::unexpected(failure(file, {Fault::report_type, 0, report_type_td, mac.type}));
    if (mac.subtype != 0)
        return wrong(file, "TDREPORT's subtype", offsetof(tdx::ReportMac, subtype), "0",
                     hex(mac.subtype));
    if (mac.version > latest_report_version)
        return wrong(file, "TDREPORT's version", offsetof(tdx::ReportMac, version), "0 or 1",
                     hex(mac.version));
    if (mac.version == 0 && report.td_info.servtd_hash != crypto::Digest{})
        return wrong(file, "TDREPORT's SERVTD_HASH",
                     offsetof(tdx::Report, td_info) + offsetof(tdx::TdInfo, servtd_hash),
                     "zeros in version 0", hex(Bytes(report.td_info.servtd_hash)));
    return {};
}

/// What the ABI reserves of REPORTMACSTRUCT and TDINFO; of TEE_TCB_INFO newer modules use more.
Outcome<> check_reserved(std::string_view file, Bytes bytes) {
    constexpr std::size_t info = offsetof(tdx::Report, td_info);
    constexpr std::array fields{
        std::pair{offsetof(tdx::ReportMac, reserved_3), sizeof(tdx::ReportMac::reserved_3)},
        std::pair{offsetof(tdx::ReportMac, reserved_192), sizeof(tdx::ReportMac::reserved_192)},
        std::pair{info + offsetof(tdx::TdInfo, reserved), sizeof(tdx::TdInfo::reserved)}};
    for (const auto& [start, size] : fields)
        for (std::size_t at = start; at < start + size; ++at)
            if (bytes[at] != std::byte{0})
                return wrong(file, "TDREPORT's reserved byte", at, "0",
                             hex(std::to_integer<std::uint64_t>(bytes[at])));
    return {};
}

/// TEE_INFO_HASH ties TDINFO, where the registers are, to what the MAC covers.
Outcome<> check_info_hash(std::string_view file, const tdx::Report& report) {
    const crypto::Digest expected = td_info_hash(report.td_info);
    if (report.report_mac.tee_info_hash == expected)
        return {};
    return wrong(file, "TDREPORT's TEE_INFO_HASH", offsetof(tdx::ReportMac, tee_info_hash),
                 hex(Bytes(expected)) + ", the SHA-384 of its TDINFO",
                 hex(Bytes(report.report_mac.tee_info_hash)) +
                     ": registers of another report, or changed; take it again");
}

} // namespace

Outcome<TdRegisters> registers_of_report(std::string_view file, Bytes bytes) {
    if (bytes.size() != sizeof(tdx::Report))
        return std::unexpected(
            failure(file, {Fault::report_size, bytes.size(), sizeof(tdx::Report), bytes.size()}));
    const auto report = TRY(of_file(file, read_at<tdx::Report>(bytes, 0)));
    TRY(check_form(file, report));
    TRY(check_reserved(file, bytes));
    TRY(check_info_hash(file, report));
    return TdRegisters{report.td_info, "TDREPORT"};
}

Result<TdRegisters> registers_of_quote(Bytes bytes) {
    Reader reader(bytes);
    const auto header = TRY(reader.take<QuoteHeader>());
    if (header.version != 4 && header.version != 5)
        return refuse(Fault::quote_version, 0, 5, header.version);
    if (header.tee_type != tee_type_tdx)
        return refuse(Fault::quote_tee_type, 4, tee_type_tdx, header.tee_type);
    if (header.version == 4)
        return TdRegisters{info_of(TRY(reader.take<QuoteBody>())), "quote v4"};
    const std::size_t at = reader.offset();
    const auto descriptor = TRY(reader.take<BodyDescriptor>());
    const bool is_1_5 = descriptor.type == body_tdx_1_5;
    if (!is_1_5 && descriptor.type != body_tdx_1_0)
        return refuse(Fault::quote_body_type, at, body_tdx_1_5, descriptor.type);
    const std::size_t size = sizeof(QuoteBody) + (is_1_5 ? sizeof(QuoteBodyTail) : 0);
    if (descriptor.size != size)
        return refuse(Fault::quote_body_type, at + 2, size, descriptor.size);
    TdRegisters registers{info_of(TRY(reader.take<QuoteBody>())), "quote v5"};
    if (is_1_5)
        registers.info.servtd_hash = TRY(reader.take<QuoteBodyTail>()).servtd_hash;
    return registers;
}

crypto::Digest td_info_hash(const tdx::TdInfo& info) {
    return crypto::sha384(bytes_of(info));
}

} // namespace tdshim::tools
