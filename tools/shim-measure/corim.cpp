// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/corim.hpp"

#include <algorithm>

#include "shim/crypto/sha384.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-measure/cbor.hpp"

namespace tdshim::tools {
namespace {

constexpr std::uint64_t sha384_id = 7; // IANA Named Information Hash Algorithm Registry
namespace tag {
constexpr std::uint64_t unsigned_corim = 501;
constexpr std::uint64_t comid = 506;
constexpr std::uint64_t bytes = 560;
} // namespace tag
/// Keys of the maps, and of measurement-values-map the code points.
namespace key {
constexpr std::uint64_t corim_id = 0, corim_tags = 1;
constexpr std::uint64_t tag_identity = 1, triples = 4;
constexpr std::uint64_t tag_id = 0;
constexpr std::uint64_t reference_triples = 0;
constexpr std::uint64_t environment_class = 0, vendor = 1, model = 2;
constexpr std::uint64_t measured_element = 0, measured_values = 1;
constexpr std::uint64_t digests = 2, raw_value = 4, integrity_registers = 14;
} // namespace key

/// measurement-map of the element `name`, with one code point, whose value is to follow.
Cbor measurement(std::string_view name, std::uint64_t code_point) {
    Cbor cbor;
    cbor.map(2).number(key::measured_element).text(name);
    cbor.number(key::measured_values).map(1).number(code_point);
    return cbor;
}

/// digests-type: one is acceptable.
void add_digest(Cbor& cbor, const crypto::Digest& digest) {
    cbor.array(1).array(2).number(sha384_id).bytes(digest);
}

Cbor raw(std::string_view name, Bytes value) {
    Cbor cbor = measurement(name, key::raw_value);
    cbor.tag(tag::bytes).bytes(value);
    return cbor;
}

void add_raw(std::vector<Cbor>& all, std::string_view name,
             const std::optional<std::uint64_t>& number) {
    if (number)
        all.push_back(raw(name, bytes_of(le64{*number})));
}

void add_raw(std::vector<Cbor>& all, std::string_view name,
             const std::optional<crypto::Digest>& value) {
    if (value)
        all.push_back(raw(name, *value));
}

void add_mrtd(std::vector<Cbor>& all, const Policy& policy) {
    if (!policy.mrtd)
        return;
    add_digest(all.emplace_back(measurement("mrtd", key::digests)), *policy.mrtd);
}

void add_rtmrs(std::vector<Cbor>& all, const Policy& policy) {
    const auto known =
        std::ranges::count_if(policy.rtmr, [](const auto& rtmr) { return rtmr.has_value(); });
    if (known == 0)
        return;
    Cbor& cbor = all.emplace_back(measurement("rtmr", key::integrity_registers));
    cbor.map(static_cast<std::size_t>(known));
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (policy.rtmr[rtmr])
            add_digest(cbor.number(rtmr), *policy.rtmr[rtmr]);
}

/// In the order of TDINFO.
std::vector<Cbor> measurements_of(const Policy& policy) {
    std::vector<Cbor> all;
    add_raw(all, "attributes", policy.attributes);
    add_raw(all, "xfam", policy.xfam);
    add_mrtd(all, policy);
    add_raw(all, "mrconfigid", policy.mr_config_id);
    add_raw(all, "mrowner", policy.mr_owner);
    add_raw(all, "mrownerconfig", policy.mr_owner_config);
    add_rtmrs(all, policy);
    return all;
}

/// triples-map with one reference triple: the environment, and its measurements.
Cbor triples_of(const Policy& policy) {
    const std::vector<Cbor> measurements = measurements_of(policy);
    Cbor cbor;
    cbor.map(1).number(key::reference_triples).array(1).array(2);
    cbor.map(1).number(key::environment_class).map(2);
    cbor.number(key::vendor).text("Intel Corporation").number(key::model).text("TDX TD");
    cbor.array(measurements.size());
    for (const Cbor& measurement : measurements)
        cbor.items(measurement);
    return cbor;
}

/// Other values, another name: manifest and tag are to be unique.
std::string id_of(const Cbor& triples) {
    constexpr std::size_t enough = 16;
    const crypto::Digest digest = crypto::sha384(triples.written());
    return "tdshim-" + hex(Bytes(digest).first(enough));
}

} // namespace

std::vector<std::byte> corim(const Policy& policy) {
    const Cbor triples = triples_of(policy);
    const std::string id = id_of(triples);
    Cbor comid;
    comid.map(2).number(key::tag_identity).map(1).number(key::tag_id).text(id);
    comid.number(key::triples).items(triples);
    Cbor manifest;
    manifest.tag(tag::unsigned_corim).map(2).number(key::corim_id).text(id);
    manifest.number(key::corim_tags).array(1).tag(tag::comid).bytes(comid.written());
    return {manifest.written().begin(), manifest.written().end()};
}

} // namespace tdshim::tools
