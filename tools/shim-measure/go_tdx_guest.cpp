// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/go_tdx_guest.hpp"

#include <algorithm>
#include <format>

#include "tools/measurements/quote.hpp"

namespace tdshim::tools {
namespace {

/// A field of type bytes, each as an escape.
std::string field(std::string_view name, Bytes bytes) {
    std::string text = std::format("    {}: \"", name);
    for (const std::byte byte : bytes)
        text += std::format("\\x{:02x}", std::to_integer<unsigned>(byte));
    return text + "\"\n";
}

/// In the quote's byte order.
std::string field(std::string_view name, const std::optional<std::uint64_t>& number) {
    return number ? field(name, bytes_of(le64{*number})) : "";
}

std::string field(std::string_view name, const std::optional<crypto::Digest>& digest) {
    return digest ? field(name, Bytes(*digest)) : "";
}

std::string rtmr_fields(const Policy& policy) {
    std::string text;
    if (std::ranges::any_of(policy.rtmr, [](const auto& rtmr) { return rtmr.has_value(); }))
        for (const auto& rtmr : policy.rtmr)
            text += field("rtmrs", rtmr ? Bytes(*rtmr) : Bytes{});
    return text;
}

} // namespace

/// header_policy has to be there: check writes into it without asking.
std::string go_tdx_guest_config(const Policy& policy) {
    return "# Made by shim-measure --format go-tdx-guest\n"
           "# proto-file: proto/checkconfig.proto\n"
           "# proto-message: checkconfig.Config\n"
           "policy {\n  header_policy {\n" +
           field("qe_vendor_id", Bytes(quote_layout::intel_vendor)) +
           "  }\n  td_quote_body_policy {\n" + field("td_attributes", policy.attributes) +
           field("xfam", policy.xfam) + field("mr_td", policy.mrtd) +
           field("mr_config_id", policy.mr_config_id) + field("mr_owner", policy.mr_owner) +
           field("mr_owner_config", policy.mr_owner_config) + rtmr_fields(policy) + "  }\n}\n";
}

} // namespace tdshim::tools
