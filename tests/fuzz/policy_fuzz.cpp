// SPDX-License-Identifier: Apache-2.0
//
// Policies: what is taken for one can be written and read again, and is the same.
#include <cstdlib>

#include "tools/measurements/policy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tdshim;
    const auto policy = tools::parse_policy("policy", std::as_bytes(std::span(data, size)));
    if (!policy)
        return 0;
    constexpr auto replace = nlohmann::ordered_json::error_handler_t::replace;
    const std::string text = tools::json_of(*policy).dump(1, ' ', false, replace);
    const auto again = tools::parse_policy("policy", bytes_of(std::string_view(text)));
    if (!again || again->attributes != policy->attributes || again->xfam != policy->xfam ||
        again->mrtd != policy->mrtd || again->rtmr != policy->rtmr ||
        again->events.size() != policy->events.size())
        std::abort();
    return 0;
}
