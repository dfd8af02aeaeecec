// SPDX-License-Identifier: Apache-2.0
//
// Names of TDCALL's leaves and TDVMCALL's sub-functions, for people and for what they write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tdshim::td_emu {

/// "TDG.VP.INFO"; the number where the leaf is not known here.
[[nodiscard]] std::string leaf_name(std::uint64_t leaf);
/// "MapGPA"; the number where the sub-function is not known here, "vendor" for a call whose R10 is
/// not 0.
[[nodiscard]] std::string subfunction_name(std::uint64_t number);

[[nodiscard]] std::optional<std::uint64_t> leaf_of(std::string_view name);
[[nodiscard]] std::optional<std::uint64_t> subfunction_of(std::string_view name);

} // namespace tdshim::td_emu
