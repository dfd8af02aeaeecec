// SPDX-License-Identifier: Apache-2.0
//
// Names of TDCALL leaves and of TDVMCALL sub-functions, for people.
#pragma once

#include <cstdint>
#include <string>

namespace tdshim::tdx_model {

/// "TDG.VP.INFO"; the number for a leaf that is not known here.
[[nodiscard]] std::string leaf_name(std::uint64_t leaf);

/// "MapGPA"; the number for a sub-function that is not known here.
[[nodiscard]] std::string subfunction_name(std::uint64_t number);

} // namespace tdshim::tdx_model
