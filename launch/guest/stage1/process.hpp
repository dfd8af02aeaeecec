// SPDX-License-Identifier: Apache-2.0
//
// What a guest runs in the place of an init: a container's process. shim-guest puts it into the
// root file system, under dm-verity, and stage 1 reads it there [specs/guests.md, "Containers"].
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace tdshim::guest {

struct Process {
    std::vector<std::string> arguments; ///< the program first, looked for on PATH of `environment`
    std::vector<std::string> environment;
    std::string folder = "/"; ///< where it starts
    std::uint32_t user = 0;
    std::uint32_t group = 0;

    friend bool operator==(const Process&, const Process&) = default;
};

/// What such a file begins with.
inline constexpr std::string_view process_magic = "#!stage1\n";
/// Where it is.
inline constexpr std::string_view process_file = "/.stage1/process";

/// The file: a line "KEY VALUE" for each part. No part has a line end in it.
[[nodiscard]] std::string text_of(const Process& process);

/// The sentence of what is wrong where it is no such file.
[[nodiscard]] std::expected<Process, std::string> process_of(std::string_view text);

} // namespace tdshim::guest
