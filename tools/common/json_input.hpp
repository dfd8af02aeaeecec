// SPDX-License-Identifier: Apache-2.0
//
// JSON that somebody wrote: a member that stands twice is an error, where most readers take the
// last one and others the first, so that two people would read two things in one file.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "shim/base/bytes.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// No input of these tools is nested so deeply; what is deeper is refused before anybody recurses.
inline constexpr std::size_t max_json_depth = 16;
/// Nor has an object of theirs so many members, which are looked up one after the other.
inline constexpr std::size_t max_json_members = 1000;
/// And so many values in all.
inline constexpr std::size_t max_json_values = 1'000'000;

/// The value in `bytes`, UTF-8, and nothing behind it, a NUL, which ends a text to some readers,
/// least of all. Errors name `file`, and the way to a member that stands twice:
/// "FILE: events[1].digest: stands twice".
[[nodiscard]] Outcome<nlohmann::ordered_json> parse_json(const std::string& file, Bytes bytes);

} // namespace tdshim::tools
