// SPDX-License-Identifier: Apache-2.0
//
// Where the files of a root file system come from, each with the errors of write_tree().
#pragma once

#include "tools/shim-guest/tree_writer.hpp"

namespace tdshim::tools {

[[nodiscard]] Outcome<Tree> write_folder(const std::string& folder, TreeWriter writer);
[[nodiscard]] Outcome<Tree> write_archive(const std::string& file, TreeWriter writer);

} // namespace tdshim::tools
