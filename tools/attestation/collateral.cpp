// SPDX-License-Identifier: Apache-2.0
#include "tools/attestation/collateral.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <utility>

#include "tools/common/files.hpp"
#include "tools/common/json_input.hpp"
#include "tools/common/json_members.hpp"
#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

using namespace std::string_view_literals;

constexpr std::array statuses{
    std::pair{"UpToDate"sv, TcbStatus::up_to_date},
    std::pair{"SWHardeningNeeded"sv, TcbStatus::sw_hardening_needed},
    std::pair{"ConfigurationNeeded"sv, TcbStatus::configuration_needed},
    std::pair{"ConfigurationAndSWHardeningNeeded"sv,
              TcbStatus::configuration_and_sw_hardening_needed},
    std::pair{"OutOfDate"sv, TcbStatus::out_of_date},
    std::pair{"OutOfDateConfigurationNeeded"sv, TcbStatus::out_of_date_configuration_needed},
    std::pair{"Revoked"sv, TcbStatus::revoked},
};

constexpr std::uint64_t max_number = 0xFFFF'FFFF;
constexpr std::size_t max_levels = 256;
constexpr std::size_t max_advisories = 256;
constexpr std::size_t max_modules = 64;
constexpr std::size_t signer_size = 48; // MRSIGNERSEAM
constexpr std::size_t module_attributes_size = 8;

Outcome<TcbStatus> status_of(const Members& members) {
    const std::string word = TRY(members.text("tcbStatus"));
    const auto* const found =
        std::ranges::find(statuses, word, &std::pair<std::string_view, TcbStatus>::first);
    if (found == statuses.end())
        return members.wrong("tcbStatus", "a status of a TCB level");
    return found->second;
}

Outcome<std::vector<std::string>> advisories_of(const Members& members) {
    const auto* const list = members.find("advisoryIDs");
    std::vector<std::string> advisories;
    if (list == nullptr)
        return advisories;
    if (!list->is_array() || list->size() > max_advisories ||
        !std::ranges::all_of(*list, [](const auto& id) { return id.is_string(); }))
        return members.wrong("advisoryIDs", "a list of texts");
    for (const auto& id : *list)
        advisories.push_back(printable(id.template get<std::string>()));
    return advisories;
}

Outcome<std::time_t> date_of(const Members& members, const std::string& name) {
    if (const auto time = time_of(TRY(members.text(name))))
        return *time;
    return members.wrong(name, "a time such as 2023-06-18T08:42:58Z");
}

Outcome<Dates> dates_of(const Members& members) {
    return Dates{.issued = TRY(date_of(members, "issueDate")),
                 .next_update = TRY(date_of(members, "nextUpdate"))};
}

Outcome<> check_kind(const Members& members, const std::string& id, std::uint64_t version) {
    if (TRY(members.text("id")) != id)
        return members.wrong("id", '"' + id + '"');
    if (TRY(members.number("version", version)) != version)
        return members.wrong("version", std::to_string(version));
    return {};
}

Outcome<Svns> svns_of(const Members& tcb, const std::string& name) {
    Svns svns{};
    const auto components = TRY(tcb.list(name, svns.size()));
    if (components.size() != svns.size())
        return tcb.wrong(name, std::format("{} components", svns.size()));
    for (std::size_t i = 0; i < svns.size(); ++i)
        svns[i] = static_cast<std::uint8_t>(TRY(components[i].number("svn", 0xFF)));
    return svns;
}

Outcome<TcbLevel> level_of(const Members& members) {
    const Members tcb = TRY(members.object("tcb"));
    return TcbLevel{.svns = TRY(svns_of(tcb, "sgxtcbcomponents")),
                    .pce_svn = static_cast<std::uint16_t>(TRY(tcb.number("pcesvn", 0xFFFF))),
                    .tdx_svns = TRY(svns_of(tcb, "tdxtcbcomponents")),
                    .status = TRY(status_of(members)),
                    .advisories = TRY(advisories_of(members))};
}

Outcome<std::vector<SvnLevel>> svn_levels_of(const Members& members) {
    std::vector<SvnLevel> levels;
    for (const Members& level : TRY(members.list("tcbLevels", max_levels))) {
        const Members tcb = TRY(level.object("tcb"));
        levels.push_back({.svn = static_cast<std::uint16_t>(TRY(tcb.number("isvsvn", 0xFFFF))),
                          .status = TRY(status_of(level)),
                          .advisories = TRY(advisories_of(level))});
    }
    return levels;
}

Outcome<ModuleIdentity> module_of(const Members& members) {
    return ModuleIdentity{.id = {},
                          .signer = TRY(members.bytes("mrsigner", signer_size)),
                          .attributes = TRY(members.bytes("attributes", module_attributes_size)),
                          .attributes_mask =
                              TRY(members.bytes("attributesMask", module_attributes_size)),
                          .levels = {}};
}

Outcome<std::vector<ModuleIdentity>> modules_of(const Members& members) {
    std::vector<ModuleIdentity> modules;
    if (members.find("tdxModuleIdentities") == nullptr)
        return modules;
    for (const Members& element : TRY(members.list("tdxModuleIdentities", max_modules))) {
        ModuleIdentity module = TRY(module_of(element));
        module.id = TRY(element.text("id"));
        module.levels = TRY(svn_levels_of(element));
        modules.push_back(std::move(module));
    }
    return modules;
}

/// With the chain of its signer.
Outcome<SignedJson> read_signed_json(const std::string& folder, const std::string& name,
                                     std::string_view member) {
    const std::string file = folder + "/" + name + ".json";
    auto bytes = TRY(read_file(file, max_message_size));
    SignedJson signed_json = TRY(split_signed_json(file, std::move(bytes), member));
    const std::string chain = folder + "/" + name + "-issuer-chain.pem";
    const auto text = TRY(read_file(chain, max_message_size));
    signed_json.chain = TRY(parse_chain(chain, text));
    return signed_json;
}

Outcome<RevocationList> read_revocation_list(const std::string& file) {
    const auto bytes = TRY(read_file(file, max_message_size));
    return parse_revocation_list(file, bytes);
}

} // namespace

std::string_view name_of(TcbStatus status) {
    return std::ranges::find(statuses, status, &std::pair<std::string_view, TcbStatus>::second)
        ->first;
}

Outcome<SignedJson> split_signed_json(const std::string& file, std::vector<std::byte> bytes,
                                      std::string_view member) {
    SignedJson result{
        .file = file, .bytes = std::move(bytes), .content = {}, .signature = {}, .chain = {}};
    const auto json = TRY(parse_json(file, result.bytes));
    const Members members(json, file, "");
    const auto signature = TRY(members.bytes("signature", result.signature.size()));
    std::ranges::copy(signature, result.signature.begin());
    TRY(members.object(std::string(member)));

    // The object's own bytes are between the one way to begin and the one way to end.
    const std::string_view text(reinterpret_cast<const char*>(result.bytes.data()),
                                result.bytes.size());
    const std::string begin = std::format("{{\"{}\":", member);
    const std::string_view whole = text.substr(0, text.find_last_not_of(" \r\n\t") + 1);
    const std::size_t end = whole.rfind(",\"signature\":\"");
    if (!whole.starts_with(begin) || end == std::string_view::npos || json.size() != 2 ||
        whole.size() - end !=
            std::string_view(",\"signature\":\"\"}").size() + 2 * result.signature.size())
        return std::unexpected(failure(
            file, std::format("is not {}{{...}},\"signature\":\"...\"}} without a blank between, "
                              "as it is signed",
                              begin)));
    result.content = Bytes(result.bytes).subspan(begin.size(), end - begin.size());
    return result;
}

Outcome<TcbInfo> parse_tcb_info(const std::string& file, Bytes content) {
    const auto json = TRY(parse_json(file, content));
    const Members members(json, file, "tcbInfo.");
    TRY(check_kind(members, "TDX", 3));
    if (TRY(members.number("tcbType", max_number)) != 0)
        return members.wrong("tcbType", "0, the one way to compare SVNs");
    const Members module = TRY(members.object("tdxModule"));
    TcbInfo info{.dates = TRY(dates_of(members)),
                 .evaluation = TRY(members.number("tcbEvaluationDataNumber", max_number)),
                 .fmspc = TRY(members.bytes("fmspc", 6)),
                 .pce_id = TRY(members.bytes("pceId", 2)),
                 .module = TRY(module_of(module)),
                 .modules = TRY(modules_of(members)),
                 .levels = {}};
    for (const Members& level : TRY(members.list("tcbLevels", max_levels)))
        info.levels.push_back(TRY(level_of(level)));
    return info;
}

Outcome<EnclaveIdentity> parse_enclave_identity(const std::string& file, Bytes content) {
    const auto json = TRY(parse_json(file, content));
    const Members members(json, file, "enclaveIdentity.");
    TRY(check_kind(members, "TD_QE", 2));
    return EnclaveIdentity{.dates = TRY(dates_of(members)),
                           .evaluation = TRY(members.number("tcbEvaluationDataNumber", max_number)),
                           .misc_select = TRY(members.bytes("miscselect", 4)),
                           .misc_select_mask = TRY(members.bytes("miscselectMask", 4)),
                           .attributes = TRY(members.bytes("attributes", 16)),
                           .attributes_mask = TRY(members.bytes("attributesMask", 16)),
                           .signer = TRY(members.bytes("mrsigner", 32)),
                           .product =
                               static_cast<std::uint16_t>(TRY(members.number("isvprodid", 0xFFFF))),
                           .levels = TRY(svn_levels_of(members))};
}

Outcome<Collateral> read_collateral(const std::string& folder) {
    SignedJson tcb_info = TRY(read_signed_json(folder, "tcbinfo", "tcbInfo"));
    SignedJson identity = TRY(read_signed_json(folder, "qeidentity", "enclaveIdentity"));
    TcbInfo tcb = TRY(parse_tcb_info(tcb_info.file, tcb_info.content));
    EnclaveIdentity enclave = TRY(parse_enclave_identity(identity.file, identity.content));
    return Collateral{.tcb_info = std::move(tcb_info),
                      .enclave_identity = std::move(identity),
                      .tcb = std::move(tcb),
                      .enclave = std::move(enclave),
                      .root_list = TRY(read_revocation_list(folder + "/rootcrl.der")),
                      .pck_list = TRY(read_revocation_list(folder + "/pckcrl.der"))};
}

} // namespace tdshim::tools
