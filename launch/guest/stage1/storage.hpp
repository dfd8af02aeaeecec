// SPDX-License-Identifier: Apache-2.0
//
// What is writable in the guest.
#pragma once

#include "launch/guest/stage1/root_words.hpp"
#include "launch/guest/stage1/step.hpp"

namespace tdshim::stage1 {

/// Sets `storage` up above the root file system that is mounted at `root`, read-only. Returns where
/// the guest's whole file system is then.
[[nodiscard]] Step<std::string> set_up_storage(guest::Storage storage, const std::string& root);

} // namespace tdshim::stage1
