// SPDX-License-Identifier: Apache-2.0
//
// Reference values for Trustee, the verifier of Confidential Containers
// [confidential-containers/trustee 78962cd: rvps/src/lib.rs, rvps/src/extractors/sample,
// attestation-service/docs/policy.md and tcb_claims.md].
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tools/measurements/policy.hpp"

namespace tdshim::tools {

/// The message that its reference value provider takes: {"version", "type", "payload"}, where the
/// payload is JSON in base64, a list of one value by each name. What has no value is not in it.
[[nodiscard]] nlohmann::ordered_json trustee_message(const Policy& policy);

/// The attestation policy, in Rego, that compares the claims of a TD's quote with these values.
[[nodiscard]] std::string trustee_policy(const Policy& policy);

} // namespace tdshim::tools
