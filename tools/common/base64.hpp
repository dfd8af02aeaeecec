// SPDX-License-Identifier: Apache-2.0
//
// Base64 as JSON carries bytes [RFC 4648, 4]: with padding, without line ends.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shim/base/bytes.hpp"

namespace tdshim::tools {

[[nodiscard]] std::string base64(Bytes bytes);

/// Nothing for any other text.
[[nodiscard]] std::optional<std::vector<std::byte>> bytes_of_base64(std::string_view text);

} // namespace tdshim::tools
