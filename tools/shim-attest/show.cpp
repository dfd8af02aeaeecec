// SPDX-License-Identifier: Apache-2.0
#include <format>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tools/attestation/evidence.hpp"
#include "tools/attestation/pck_extensions.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/td_registers.hpp"
#include "tools/shim-attest/commands.hpp"

namespace tdshim::tools {
namespace {

using nlohmann::ordered_json;

/// Bits that have names [Intel TDX Module 1.5 ABI, ATTRIBUTES].
constexpr std::array attribute_names{
    std::pair{0, "DEBUG"},       std::pair{27, "LASS"},   std::pair{28, "SEPT_VE_DISABLE"},
    std::pair{29, "MIGRATABLE"}, std::pair{30, "PKS"},    std::pair{31, "KL"},
    std::pair{62, "TPA"},        std::pair{63, "PERFMON"}};

ordered_json names_of_attributes(std::uint64_t attributes) {
    auto names = ordered_json::array();
    for (const auto& [bit, name] : attribute_names)
        if ((attributes >> bit & 1) != 0)
            names.push_back(name);
    return names;
}

/// Two forms of quote say nothing of service TDs.
ordered_json json_of(const tdx::TdInfo& info, const tdx::ReportData& data, bool has_servtd_hash) {
    ordered_json json{{"attributes", hex(std::uint64_t{info.attributes})},
                      {"attribute_names", names_of_attributes(info.attributes)},
                      {"xfam", hex(std::uint64_t{info.xfam})},
                      {"mrtd", hex(Bytes(info.mrtd))},
                      {"mrconfigid", hex(Bytes(info.mr_config_id))},
                      {"mrowner", hex(Bytes(info.mr_owner))},
                      {"mrownerconfig", hex(Bytes(info.mr_owner_config))}};
    for (std::size_t i = 0; i < info.rtmr.size(); ++i)
        json[std::format("rtmr{}", i)] = hex(Bytes(info.rtmr[i]));
    if (has_servtd_hash)
        json["servtd_hash"] = hex(Bytes(info.servtd_hash));
    json["report_data"] = hex(Bytes(data));
    return json;
}

ordered_json json_of_module(const std::array<std::byte, 16>& svns, const crypto::Digest& measured,
                            const crypto::Digest& signer, std::uint64_t attributes) {
    return {{"tee_tcb_svn", hex(Bytes(svns))},
            {"mrseam", hex(Bytes(measured))},
            {"mrsignerseam", hex(Bytes(signer))},
            {"attributes", hex(attributes)}};
}

ordered_json json_of(const X509& certificate) {
    ordered_json json{{"subject", common_name(certificate)},
                      {"valid_from", begin_of(certificate)},
                      {"valid_until", end_of(certificate)}};
    if (const auto extensions = pck_extensions_of(certificate)) {
        json["fmspc"] = hex(Bytes(extensions->fmspc));
        json["pce_id"] = hex(Bytes(extensions->pce_id));
        json["pce_svn"] = extensions->pce_svn;
        json["svns"] = extensions->svns;
    }
    return json;
}

Outcome<ordered_json> json_of_quote(const std::string& file, Bytes bytes) {
    const Quote quote = TRY(parse_quote(file, bytes));
    const QuoteBody& body = quote.td.body;
    const EnclaveReport& enclave = quote.enclave_report;
    ordered_json json{{"form", std::format("quote v{}", quote.td.version)},
                      {"td", json_of(registers_of(quote.td).info, body.report_data,
                                     quote.td.servtd_hash.has_value())}};
    json["tdx_module"] =
        json_of_module(body.tee_tcb_svn, body.mr_seam, body.mr_signer_seam, body.seam_attributes);
    if (const auto& now = quote.td.tee_tcb_svn_2)
        json["tdx_module"]["tee_tcb_svn_2"] = hex(Bytes(*now));
    json["quoting_enclave"] = {{"vendor", hex(Bytes(quote.td.vendor))},
                               {"cpu_svn", hex(Bytes(enclave.cpu_svn))},
                               {"attributes", hex(Bytes(enclave.attributes))},
                               {"mrenclave", hex(Bytes(enclave.mr_enclave))},
                               {"mrsigner", hex(Bytes(enclave.mr_signer))},
                               {"product", std::uint16_t{enclave.isv_prod_id}},
                               {"svn", std::uint16_t{enclave.isv_svn}}};
    auto& certificates = json["certificates"] = ordered_json::array();
    for (const Certificate& certificate : TRY(parse_chain(file, quote.pck_chain)))
        certificates.push_back(json_of(*certificate));
    return json;
}

Outcome<ordered_json> json_of_report(const std::string& file, Bytes bytes) {
    const TdRegisters registers = TRY(registers_of_report(file, bytes));
    const tdx::Report report = TRY(of_file(file, read_at<tdx::Report>(bytes, 0)));
    const tdx::TeeTcbInfo& module = report.tee_tcb_info;
    ordered_json json{{"form", "TDREPORT"},
                      {"td", json_of(registers.info, report.report_mac.report_data, true)}};
    json["tdx_module"] = json_of_module(module.tee_tcb_svn, module.mr_seam, module.mr_signer_seam,
                                        module.attributes);
    return json;
}

/// Evidence begins as JSON does, and a TDREPORT has its size.
Outcome<ordered_json> json_of_file(const std::string& file) {
    const auto bytes = TRY(read_file(file, max_message_size));
    if (!bytes.empty() && bytes.front() == std::byte{'{'}) {
        const Evidence evidence = TRY(parse_evidence(file, bytes));
        return json_of_quote(file, evidence.quote);
    }
    return bytes.size() == sizeof(tdx::Report) ? json_of_report(file, bytes)
                                               : json_of_quote(file, bytes);
}

std::string text_of(const ordered_json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

/// A line for each member, those of objects indented below their name.
void print(const ordered_json& object, const std::string& indent) {
    for (const auto& [name, value] : object.items()) {
        if (!value.is_object() && name != "certificates") {
            std::cout << std::format("{}{:<16} {}\n", indent, name, printable(text_of(value)));
            continue;
        }
        std::cout << std::format("{}{}\n", indent, name);
        for (const ordered_json& each : value.is_array() ? value : ordered_json::array({value}))
            print(each, indent + "  ");
    }
}

} // namespace

Outcome<ExitCode> show(const ShowOptions& options) {
    const ordered_json json = TRY(json_of_file(options.file));
    if (options.json)
        print_json("shim-attest-show/1", json);
    else
        print(json, "");
    return ExitCode::good;
}

} // namespace tdshim::tools
