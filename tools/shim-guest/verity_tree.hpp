// SPDX-License-Identifier: Apache-2.0
//
// dm-verity's tree of a disk, made and checked by libcryptsetup, which opens no device for it.
#pragma once

#include <string>

#include "launch/guest/stage1/root_words.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// Appends the tree of all of `disk`, which is a multiple of Verity::block_size.
[[nodiscard]] Outcome<guest::Verity> append_tree(const std::string& disk);

/// Whether data and tree of `disk` are what `verity` says. Errors: what differs, and what could not
/// be read.
[[nodiscard]] Outcome<> check_tree(const std::string& disk, const guest::Verity& verity);

} // namespace tdshim::tools
