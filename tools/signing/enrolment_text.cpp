// SPDX-License-Identifier: Apache-2.0
#include "tools/signing/enrolment_text.hpp"

#include <format>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const cfv::Key& key) {
    Json json{{"hash", hex(key.hash)}, {"algorithm", nullptr}};
    if (key.algorithm)
        json["algorithm"] = signed_payload::name_of(*key.algorithm);
    json["minimum_svn"] = key.minimum_svn;
    json["kinds"] = names_of_kinds(key.kinds);
    return json;
}

Json json_of(const cfv::Digests& digests) {
    Json json = Json::array();
    for (std::size_t i = 0; i < digests.size(); ++i)
        json.push_back(hex(digests[i]));
    return json;
}

std::string lines_of(std::string_view title, const cfv::Digests& digests) {
    std::string text;
    for (std::size_t i = 0; i < digests.size(); ++i)
        text += std::format("  {} {}\n", title, hex(digests[i]));
    return text;
}

std::string line_of(const cfv::Key& key) {
    const std::string_view algorithm =
        key.algorithm ? signed_payload::name_of(*key.algorithm) : "either algorithm";
    return std::format("  key {}: {}, minimum SVN {}, for {}\n", hex(key.hash), algorithm,
                       key.minimum_svn, names_of_kinds(key.kinds));
}

} // namespace

std::string names_of_kinds(std::uint32_t kinds) {
    std::string text;
    if ((kinds & cfv::payload_executable) != 0)
        text += "executable";
    if ((kinds & cfv::payload_linux_bundle) != 0)
        text += text.empty() ? "linux-bundle" : ",linux-bundle";
    return text;
}

std::string table_of(const cfv::Enrolment& enrolment) {
    std::string text = std::format("policy: {}", cfv::name_of(enrolment.policy));
    if (enrolment.anchor_file.empty() && enrolment.policy_file.empty())
        return text + ", nothing is enrolled\n";
    text += enrolment.policy_file.empty() ? ", by td-shim's trust anchor\n" : "\n";
    for (const cfv::Key& key : enrolment.keys)
        text += line_of(key);
    text += lines_of("revoked key", enrolment.revoked_keys);
    text += lines_of("revoked payload", enrolment.revoked_payloads);
    text += lines_of("pinned payload", enrolment.pinned_payloads);
    text += lines_of("AML table", enrolment.aml_tables);
    if (enrolment.takes_td_shim_numbering)
        text += "  takes the algorithm numbers of td-shim's tools\n";
    return text;
}

Json json_of(const cfv::Enrolment& enrolment) {
    Json keys = Json::array();
    for (const cfv::Key& key : enrolment.keys)
        keys.push_back(json_of(key));
    return {{"policy", cfv::name_of(enrolment.policy)},
            {"anchor", !enrolment.anchor_file.empty()},
            {"keys", keys},
            {"revoked_keys", json_of(enrolment.revoked_keys)},
            {"revoked", json_of(enrolment.revoked_payloads)},
            {"pinned", json_of(enrolment.pinned_payloads)},
            {"aml", json_of(enrolment.aml_tables)},
            {"td_shim_numbering", enrolment.takes_td_shim_numbering}};
}

} // namespace tdshim::tools
