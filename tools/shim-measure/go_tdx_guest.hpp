// SPDX-License-Identifier: Apache-2.0
//
// Reference values for the program check of google/go-tdx-guest [google/go-tdx-guest 91f9a52:
// proto/checkconfig.proto, tools/check/check.go, validate/validate.go].
#pragma once

#include <string>

#include "tools/measurements/policy.hpp"

namespace tdshim::tools {

/// checkconfig.Config as a text of protobuf, for a file that ends in ".textproto". What has no
/// value is not in it, but for the RTMRs: these are four or none, and an empty one is not compared.
[[nodiscard]] std::string go_tdx_guest_config(const Policy& policy);

} // namespace tdshim::tools
