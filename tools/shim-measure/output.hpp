// SPDX-License-Identifier: Apache-2.0
//
// A prediction as text, as JSON and as a policy.
#pragma once

#include <nlohmann/json.hpp>

#include "shim/formats/tdx/report.hpp"
#include "tools/measurements/policy.hpp"
#include "tools/shim-measure/inputs.hpp"

namespace tdshim::tools {

struct Measured {
    const Options& options;
    const Image& image;
    Prediction prediction;
    bool knows_payload = false;         ///< else RTMR[1] means nothing
    bool is_executable = false;         ///< the payload: no Linux, but a program that may measure
    std::optional<tdx::TdInfo> td_info; ///< of a TD whose RTMR[0] is known, when Linux starts
    std::optional<crypto::Digest> mrtd; ///< of a TD
};

[[nodiscard]] Policy policy_of(const Measured& result);
/// The same for verifiers that see registers and no log: RTMR[2] and RTMR[3] have the value that a
/// bundle's events lead to, and none where it has no events there.
[[nodiscard]] Policy policy_without_log(const Measured& result);
void print_text(const Measured& result);
[[nodiscard]] nlohmann::ordered_json json_of(const Measured& result);

} // namespace tdshim::tools
