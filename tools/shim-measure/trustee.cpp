// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/trustee.hpp"

#include <format>

#include "tools/common/base64.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/quote.hpp"

namespace tdshim::tools {
namespace {

/// What a claim is about, by the names and numbers of AR4SI [draft-ietf-rats-ar4si]: from 2
/// to 31 affirmed, from 32 to 95 a warning, above that a refusal.
struct Appraisal {
    std::string_view name;
    int affirmed; ///< all that it compares is as expected
    int otherwise;
};
constexpr Appraisal hardware{.name = "hardware", .affirmed = 2, .otherwise = 97};
constexpr Appraisal configuration{.name = "configuration", .affirmed = 2, .otherwise = 36};
constexpr Appraisal executables{.name = "executables", .affirmed = 3, .otherwise = 33};

/// A member of the claim tdx.quote.body, which is the name of its reference value as well: the
/// policy that Trustee comes with reads mr_td, rtmr_1, rtmr_2 and xfam by these names.
struct Value {
    std::string claim;
    std::string hex; ///< digits of the bytes, as they stand in the quote
    const Appraisal* appraisal;
};

void add(std::vector<Value>& values, const char* claim, const std::optional<std::uint64_t>& number,
         const Appraisal& appraisal) {
    if (number)
        values.push_back({claim, hex(bytes_of(le64{*number})), &appraisal});
}

void add(std::vector<Value>& values, const std::string& claim,
         const std::optional<crypto::Digest>& digest, const Appraisal& appraisal) {
    if (digest)
        values.push_back({claim, hex(Bytes(*digest)), &appraisal});
}

/// RTMR[0] is the VMM's configuration, the others what is started.
std::vector<Value> values_of(const Policy& policy) {
    std::vector<Value> values;
    add(values, "td_attributes", policy.attributes, configuration);
    add(values, "xfam", policy.xfam, configuration);
    add(values, "mr_td", policy.mrtd, hardware);
    add(values, "mr_config_id", policy.mr_config_id, configuration);
    add(values, "mr_owner", policy.mr_owner, configuration);
    add(values, "mr_owner_config", policy.mr_owner_config, configuration);
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        add(values, std::format("rtmr_{}", rtmr), policy.rtmr[rtmr],
            rtmr == 0 ? configuration : executables);
    return values;
}

std::string comparison(const std::string& claim) {
    return std::format("\tinput.tdx.quote.body.{0} in query_reference_value(\"{0}\")\n", claim);
}

/// What no reference value says: an Intel enclave signed the quote of a TD, and the platform is up
/// to date, by collateral that is.
std::string conditions_of(const Appraisal& appraisal) {
    if (&appraisal != &hardware)
        return "";
    return std::format("\tinput.tdx.quote.header.tee_type == \"81000000\"\n"
                       "\tinput.tdx.quote.header.vendor_id == \"{}\"\n"
                       "\tinput.tdx.tcb_status == \"UpToDate\"\n"
                       "\tinput.tdx.collateral_expiration_status == \"0\"\n",
                       hex(Bytes(quote_layout::intel_vendor)));
}

/// Without a value there is nothing to affirm: the rule is left out, and the default stays.
std::string rule_of(const Appraisal& appraisal, const std::vector<Value>& values) {
    std::string comparisons;
    for (const Value& value : values)
        if (value.appraisal == &appraisal)
            comparisons += comparison(value.claim);
    std::string text = std::format("default {} := {}\n", appraisal.name, appraisal.otherwise);
    if (!comparisons.empty())
        text += std::format("\n{} := {} if {{\n{}{}}}\n", appraisal.name, appraisal.affirmed,
                            conditions_of(appraisal), comparisons);
    return text + "\n";
}

} // namespace

nlohmann::ordered_json trustee_message(const Policy& policy) {
    nlohmann::ordered_json payload;
    for (const Value& value : values_of(policy))
        payload[value.claim] = nlohmann::ordered_json::array({value.hex});
    return {
        {"version", "0.1.0"}, {"type", "sample"}, {"payload", base64(bytes_of(payload.dump()))}};
}

std::string trustee_policy(const Policy& policy) {
    const std::vector<Value> values = values_of(policy);
    std::string text = "# Made by shim-measure --format trustee-policy: each claim has to be among "
                       "the reference values\n"
                       "# that are registered by its name.\n"
                       "package policy\n\nimport rego.v1\n\n";
    std::string claims;
    for (const Appraisal* appraisal : {&hardware, &configuration, &executables}) {
        text += rule_of(*appraisal, values);
        claims += std::format("\t\"{0}\": {0},\n", appraisal->name);
    }
    return text + std::format("trust_claims := {{\n{}}}\n", claims);
}

} // namespace tdshim::tools
