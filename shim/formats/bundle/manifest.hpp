// SPDX-License-Identifier: Apache-2.0
//
// The lines of a bundle's manifest, for who reads and who writes one.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace tdshim::bundle {

inline constexpr std::string_view manifest_version = "tdshim-bundle 1\n";

/// Policy lines, in this order: the word that refuses, then the one that appends.
using PolicyLine = std::array<std::string_view, 2>;
inline constexpr PolicyLine command_line_policy{"command-line refuse\n", "command-line append\n"};
inline constexpr PolicyLine initrd_policy{"initrd refuse\n", "initrd append\n"};

inline constexpr std::string_view title_word = "title ";
inline constexpr std::size_t max_title = 64;

} // namespace tdshim::bundle
