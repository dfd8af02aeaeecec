// SPDX-License-Identifier: Apache-2.0
//
// Files of the kernel's, which are read and written in one system call, or not at all.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "shim/base/bytes.hpp"

namespace tdshim::tools {

/// All of `file`, or errno.
[[nodiscard]] std::expected<std::vector<std::byte>, int> read_kernel_file(const std::string& file);
/// The same as text, without the line end.
[[nodiscard]] std::expected<std::string, int> read_kernel_line(const std::string& file);
[[nodiscard]] std::expected<void, int> write_kernel_file(const std::string& file, Bytes bytes);

} // namespace tdshim::tools
