// SPDX-License-Identifier: Apache-2.0
#include "tools/attestation/tcb.hpp"

#include <algorithm>
#include <format>
#include <ranges>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

Svns svns_of(const std::array<std::byte, 16>& bytes) {
    Svns svns{};
    std::ranges::transform(bytes, svns.begin(),
                           [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
    return svns;
}

/// Whether every SVN from `first` on is at least the level's.
bool reaches(const Svns& svns, const Svns& level, std::size_t first = 0) {
    return std::ranges::equal(svns | std::views::drop(first), level | std::views::drop(first),
                              std::ranges::greater_equal{});
}

bool equal_under(Bytes mask, Bytes found, Bytes expected) {
    for (std::size_t i = 0; i < mask.size(); ++i)
        if ((found[i] & mask[i]) != (expected[i] & mask[i]))
            return false;
    return true;
}

std::uint8_t module_version(const QuoteBody& body) {
    return std::to_integer<std::uint8_t>(body.tee_tcb_svn[1]);
}

Outcome<> check_module(const ModuleIdentity& identity, const QuoteBody& body) {
    if (!std::ranges::equal(body.mr_signer_seam, identity.signer))
        return std::unexpected(Failure{"MRSIGNERSEAM is another than the TCB information has: " +
                                       hex(Bytes(body.mr_signer_seam))});
    if (!equal_under(identity.attributes_mask, bytes_of(body.seam_attributes), identity.attributes))
        return std::unexpected(Failure{"SEAMATTRIBUTES are others than the TCB information has: " +
                                       hex(std::uint64_t{body.seam_attributes})});
    return {};
}

Outcome<TcbVerdict> svn_tcb(const std::vector<SvnLevel>& levels, std::uint16_t svn,
                            std::string_view what) {
    const auto level = std::ranges::find_if(
        levels, [&](const SvnLevel& candidate) { return svn >= candidate.svn; });
    if (level == levels.end())
        return std::unexpected(Failure{std::format("{}'s SVN {} is below every level", what, svn)});
    return TcbVerdict{level->status, level->advisories};
}

TcbStatus with_old_part(TcbStatus platform) {
    switch (platform) {
    case TcbStatus::up_to_date:
    case TcbStatus::sw_hardening_needed: return TcbStatus::out_of_date;
    case TcbStatus::configuration_needed:
    case TcbStatus::configuration_and_sw_hardening_needed:
        return TcbStatus::out_of_date_configuration_needed;
    case TcbStatus::out_of_date:
    case TcbStatus::out_of_date_configuration_needed:
    case TcbStatus::revoked: break;
    }
    return platform;
}

std::string text_of_lowest(const TcbLevel& level) {
    return std::format("; the lowest one, of {}, has {}, {} and {}", name_of(level.status),
                       hex(std::as_bytes(std::span(level.svns))), level.pce_svn,
                       hex(std::as_bytes(std::span(level.tdx_svns))));
}

} // namespace

Outcome<TcbVerdict> platform_tcb(const TcbInfo& info, const PckExtensions& pck,
                                 const QuoteBody& body) {
    if (!std::ranges::equal(info.fmspc, pck.fmspc) || !std::ranges::equal(info.pce_id, pck.pce_id))
        return std::unexpected(Failure{std::format(
            "TCB information is for FMSPC {} and PCE-ID {}, and this platform's are {} and {}",
            hex(Bytes(info.fmspc)), hex(Bytes(info.pce_id)), hex(Bytes(pck.fmspc)),
            hex(Bytes(pck.pce_id)))});
    const Svns tdx_svns = svns_of(body.tee_tcb_svn);
    const std::size_t first = module_version(body) == 0 ? 0 : 2;
    const auto level = std::ranges::find_if(info.levels, [&](const TcbLevel& candidate) {
        return reaches(pck.svns, candidate.svns) && pck.pce_svn >= candidate.pce_svn &&
               reaches(tdx_svns, candidate.tdx_svns, first);
    });
    if (level == info.levels.end())
        return std::unexpected(Failure{std::format(
            "the platform reaches no TCB level: SVNs {}, PCE's {}, TDX's {}{}",
            hex(std::as_bytes(std::span(pck.svns))), pck.pce_svn, hex(Bytes(body.tee_tcb_svn)),
            info.levels.empty() ? "" : text_of_lowest(info.levels.back()))});
    return TcbVerdict{level->status, level->advisories};
}

Outcome<TcbVerdict> module_tcb(const TcbInfo& info, const QuoteBody& body) {
    const std::uint8_t version = module_version(body);
    if (version == 0) {
        TRY(check_module(info.module, body));
        return TcbVerdict{TcbStatus::up_to_date, {}};
    }
    const std::string id = std::format("TDX_{:02X}", version);
    const auto identity = std::ranges::find(info.modules, id, &ModuleIdentity::id);
    if (identity == info.modules.end())
        return std::unexpected(Failure{"TCB information knows no TDX module " + id});
    TRY(check_module(*identity, body));
    return svn_tcb(identity->levels, std::to_integer<std::uint8_t>(body.tee_tcb_svn[0]),
                   "TDX module " + id);
}

Outcome<TcbVerdict> enclave_tcb(const EnclaveIdentity& identity, const EnclaveReport& report) {
    if (!equal_under(identity.misc_select_mask, bytes_of(report.misc_select), identity.misc_select))
        return std::unexpected(Failure{"MISCSELECT is not the quoting enclave's"});
    if (!equal_under(identity.attributes_mask, report.attributes, identity.attributes))
        return std::unexpected(
            Failure{"ATTRIBUTES are not the quoting enclave's: " + hex(Bytes(report.attributes))});
    if (!std::ranges::equal(report.mr_signer, identity.signer))
        return std::unexpected(
            Failure{"MRSIGNER is not the quoting enclave's: " + hex(Bytes(report.mr_signer))});
    if (report.isv_prod_id != identity.product)
        return std::unexpected(
            Failure{std::format("ISVPRODID is {}, not the quoting enclave's {}",
                                std::uint16_t{report.isv_prod_id}, identity.product)});
    return svn_tcb(identity.levels, report.isv_svn, "the quoting enclave");
}

TcbVerdict together(const TcbVerdict& platform, const TcbVerdict& module,
                    const TcbVerdict& enclave) {
    TcbVerdict result = platform;
    for (const TcbVerdict* part : {&module, &enclave}) {
        if (part->status == TcbStatus::revoked)
            result.status = TcbStatus::revoked;
        else if (part->status != TcbStatus::up_to_date)
            result.status = with_old_part(result.status);
        for (const std::string& advisory : part->advisories)
            if (!std::ranges::contains(result.advisories, advisory))
                result.advisories.push_back(advisory);
    }
    return result;
}

} // namespace tdshim::tools
