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

/// What the ABI reserves of REPORTMACSTRUCT, behind TEE_TCB_INFO and of TDINFO; of TEE_TCB_INFO
/// newer modules use more.
Outcome<> check_reserved(std::string_view file, Bytes bytes) {
    constexpr std::size_t info = offsetof(tdx::Report, td_info);
    constexpr std::array fields{
        std::pair{offsetof(tdx::ReportMac, reserved_3), sizeof(tdx::ReportMac::reserved_3)},
        std::pair{offsetof(tdx::ReportMac, reserved_192), sizeof(tdx::ReportMac::reserved_192)},
        std::pair{offsetof(tdx::Report, reserved), sizeof(tdx::Report::reserved)},
        std::pair{info + offsetof(tdx::TdInfo, reserved), sizeof(tdx::TdInfo::reserved)}};
    for (const auto& [start, size] : fields)
        for (std::size_t at = start; at < start + size; ++at)
            if (bytes[at] != std::byte{0})
                return wrong(file, "TDREPORT's reserved byte", at, "0",
                             hex(std::to_integer<std::uint64_t>(bytes[at])));
    return {};
}

/// What the MAC covers of a part of the report that stands behind it.
struct Hash {
    std::string_view name;
    std::size_t offset;
    std::string_view part;
    std::string_view content; ///< of that part
};

Outcome<> check_hash(std::string_view file, const Hash& hash, const crypto::Digest& found,
                     const crypto::Digest& expected) {
    if (found == expected)
        return {};
    return wrong(file, std::format("TDREPORT's {}", hash.name), hash.offset,
                 std::format("{}, the SHA-384 of its {}", hex(Bytes(expected)), hash.part),
                 std::format("{}: {} of another report, or changed; take it again",
                             hex(Bytes(found)), hash.content));
}

/// TEE_INFO_HASH ties TDINFO, where the registers are, to what the MAC covers; TEE_TCB_INFO_HASH
/// the TDX module's own measurements and number.
Outcome<> check_hashes(std::string_view file, const tdx::Report& report) {
    constexpr Hash info{.name = "TEE_INFO_HASH",
                        .offset = offsetof(tdx::ReportMac, tee_info_hash),
                        .part = "TDINFO",
                        .content = "registers"};
    constexpr Hash module{.name = "TEE_TCB_INFO_HASH",
                          .offset = offsetof(tdx::ReportMac, tee_tcb_info_hash),
                          .part = "TEE_TCB_INFO",
                          .content = "a TDX module"};
    TRY(check_hash(file, info, report.report_mac.tee_info_hash, td_info_hash(report.td_info)));
    return check_hash(file, module, report.report_mac.tee_tcb_info_hash,
                      crypto::sha384(bytes_of(report.tee_tcb_info)));
}

} // namespace

Outcome<TdRegisters> registers_of_report(std::string_view file, Bytes bytes) {
    if (bytes.size() != sizeof(tdx::Report))
        return std::unexpected(
            failure(file, {Fault::report_size, bytes.size(), sizeof(tdx::Report), bytes.size()}));
    const auto report = TRY(of_file(file, read_at<tdx::Report>(bytes, 0)));
    TRY(check_form(file, report));
    TRY(check_reserved(file, bytes));
    TRY(check_hashes(file, report));
    return TdRegisters{report.td_info, "TDREPORT"};
}

TdRegisters registers_of(const QuotedTd& td) {
    TdRegisters registers{info_of(td.body), td.version == 4 ? "quote v4" : "quote v5"};
    registers.info.servtd_hash = td.servtd_hash.value_or(crypto::Digest{});
    return registers;
}

Result<TdRegisters> registers_of_quote(Bytes bytes) {
    Reader reader(bytes);
    return registers_of(TRY(take_quoted_td(reader)));
}

crypto::Digest td_info_hash(const tdx::TdInfo& info) {
    return crypto::sha384(bytes_of(info));
}

} // namespace tdshim::tools
