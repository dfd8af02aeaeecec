// SPDX-License-Identifier: Apache-2.0
//
// Numbers and foreign bytes as text, for tables and for JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"

namespace tdshim::tools {

/// 0x followed by the digits that `value` needs, at least `digits`.
[[nodiscard]] std::string hex(std::uint64_t value, int digits = 1);

/// Two lower-case digits a byte.
[[nodiscard]] std::string hex(Bytes bytes);

/// "0x100000 - 0x1fffff": the first and the last address.
[[nodiscard]] std::string text_of(const GpaRange& range);

/// `text` with every byte outside printable ASCII written as \x1b, so that an input cannot steer
/// the terminal.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace tdshim::tools
