// SPDX-License-Identifier: Apache-2.0
//
// Files, folders and mounts of the initramfs, and the console.
#pragma once

#include <string>
#include <vector>

#include "launch/guest/stage1/step.hpp"
#include "shim/base/bytes.hpp"

namespace tdshim::stage1 {

/// A line on the console: "stage1: TEXT".
void say(const std::string& text);

/// What a file of the kernel's holds, of 64 KiB at most.
[[nodiscard]] Step<std::string> read_file(const std::string& path);
/// Writes all of it in one call, as the kernel's files want it.
[[nodiscard]] Step<> write_file(const std::string& path, Bytes content);
/// Names in a folder, sorted; none where it is not there.
[[nodiscard]] std::vector<std::string> names_in(const std::string& folder);

[[nodiscard]] Step<> make_folder(const std::string& path);

struct Mount {
    const char* type;
    std::string from;
    std::string to;
    unsigned long flags = 0;
    std::string options = "";
};
[[nodiscard]] Step<> mount(const Mount& what);
/// Moves what is mounted at `from`.
[[nodiscard]] Step<> move_mount(const std::string& from, const std::string& to);

} // namespace tdshim::stage1
