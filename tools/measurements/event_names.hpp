// SPDX-License-Identifier: Apache-2.0
//
// Names of event types and registers as specifications write them, for logs of any firmware.
#pragma once

#include <cstdint>
#include <string>

namespace tdshim::tools {

/// "EV_SEPARATOR"; the number itself where the type has no name here.
[[nodiscard]] std::string event_type_name(std::uint32_t type);

/// "mrtd" for 0, "rtmr0" for 1 and so on: the keys of the JSON output.
[[nodiscard]] std::string register_key(std::uint32_t mr_index);

/// "MRTD", "RTMR[0]", ...
[[nodiscard]] std::string register_name(std::uint32_t mr_index);

} // namespace tdshim::tools
