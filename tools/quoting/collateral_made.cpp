// SPDX-License-Identifier: Apache-2.0
#include "tools/quoting/collateral_made.hpp"

#include <format>
#include <nlohmann/json.hpp>

#include "tools/common/text.hpp"
#include "tools/quoting/enclave.hpp"
#include "tools/tdx-model/emulated.hpp"

namespace tdshim::quoting {

using nlohmann::ordered_json;
using tdx_model::emulated;

namespace {

ordered_json dated(const char* id, int version, const Validity& validity) {
    return {{"id", id},
            {"version", version},
            {"issueDate", tools::text_of(validity.begin)},
            {"nextUpdate", tools::text_of(validity.end)},
            {"tcbEvaluationDataNumber", 1}};
}

ordered_json level(ordered_json tcb, const Validity& validity) {
    return {{"tcb", std::move(tcb)},
            {"tcbDate", tools::text_of(validity.begin)},
            {"tcbStatus", "UpToDate"}};
}

template <class Range>
ordered_json components(const Range& svns) {
    auto list = ordered_json::array();
    for (const auto svn : svns)
        list.push_back({{"svn", static_cast<unsigned>(svn)}});
    return list;
}

/// Who signed TDX modules, and how.
ordered_json module_identity() {
    return {{"mrsigner", tools::hex(crypto::Digest{})},
            {"attributes", "0000000000000000"},
            {"attributesMask", "FFFFFFFFFFFFFFFF"}};
}

} // namespace

tools::PckExtensions platform_facts() {
    tools::PckExtensions facts{.fmspc = emulated<6>(), .pce_id = {}, .svns = {}, .pce_svn = 1};
    facts.svns.fill(1);
    return facts;
}

std::string tcb_info(const Validity& validity) {
    const auto facts = platform_facts();
    const auto module_svns = emulated<16>();
    ordered_json info = dated("TDX", 3, validity);
    info["fmspc"] = tools::hex(facts.fmspc);
    info["pceId"] = tools::hex(facts.pce_id);
    info["tcbType"] = 0;
    info["tdxModule"] = module_identity();
    ordered_json versioned{
        {"id", std::format("TDX_{:02X}", std::to_integer<unsigned>(module_svns[1]))}};
    versioned.update(module_identity());
    versioned["tcbLevels"] = ordered_json::array(
        {level({{"isvsvn", std::to_integer<unsigned>(module_svns[0])}}, validity)});
    info["tdxModuleIdentities"] = ordered_json::array({versioned});
    info["tcbLevels"] = ordered_json::array({level({{"sgxtcbcomponents", components(facts.svns)},
                                                    {"pcesvn", facts.pce_svn},
                                                    {"tdxtcbcomponents", components(module_svns)}},
                                                   validity)});
    return info.dump();
}

std::string enclave_identity(const Validity& validity) {
    ordered_json identity = dated("TD_QE", 2, validity);
    const EnclaveFacts facts = enclave_facts();
    identity["miscselect"] = "00000000";
    identity["miscselectMask"] = "FFFFFFFF";
    identity["attributes"] = tools::hex(facts.attributes);
    identity["attributesMask"] = "FBFFFFFFFFFFFFFF0000000000000000"; // all but MODE64BIT
    identity["mrsigner"] = tools::hex(facts.signer);
    identity["isvprodid"] = facts.product;
    identity["tcbLevels"] = ordered_json::array({level({{"isvsvn", facts.svn}}, validity)});
    return identity.dump();
}

} // namespace tdshim::quoting
