// SPDX-License-Identifier: Apache-2.0
//
// Numbers and foreign bytes as text, for tables and for JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/guid.hpp"

namespace tdshim::tools {

/// 0x followed by the digits that `value` needs, at least `digits`.
[[nodiscard]] std::string hex(std::uint64_t value, int digits = 1);

/// The value of 0x and at most 16 hexadecimal digits; nothing for any other text.
[[nodiscard]] std::optional<std::uint64_t> number_of_hex(std::string_view text);

/// A number as people give it to a tool: decimal without a zero in front, or 0x and hexadecimal
/// digits; no sign. Nothing for any other text: what other readers take for octal, or for 2^64 - 1,
/// is more likely a slip.
[[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view text);

/// Bytes: a number_of(), or a decimal one and K, M, G, T, P or E, with B or iB behind, all in
/// powers of 1024 and of either case. Nothing for any other text.
[[nodiscard]] std::optional<std::uint64_t> size_of(std::string_view text);

/// Two lower-case digits a byte.
[[nodiscard]] std::string hex(Bytes bytes);

/// "96b582de-1fb2-45f7-baea-a366c55a082d", digits of either case; nothing for any other text.
[[nodiscard]] std::optional<Guid> guid_of(std::string_view text);

/// The bytes of pairs of hexadecimal digits; nothing when `digits` is anything else.
[[nodiscard]] std::optional<std::vector<std::byte>> bytes_of_hex(std::string_view digits);

/// "96b582de-1fb2-45f7-baea-a366c55a082d"
[[nodiscard]] std::string text_of(const Guid& guid);

/// "0x100000 - 0x1fffff": the first and the last address.
[[nodiscard]] std::string text_of(const GpaRange& range);

/// `text` with every byte outside printable ASCII written as \x1b, so that an input cannot steer
/// the terminal.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace tdshim::tools
