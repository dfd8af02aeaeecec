// SPDX-License-Identifier: Apache-2.0
//
// What the VMM gives a payload: files of QEMU's fw_cfg device, as `-fw_cfg name=opt/...` makes them
// [QEMU docs/specs/fw_cfg.rst].
#pragma once

#include <cstddef>
#include <string_view>

#include "shim/base/bytes.hpp"

namespace tdshim::runtime {

/// A copy of the file `name`, of at most `most` bytes, from the heap. It is the VMM's word, and
/// nobody measured it: measure() it before anything depends on it. In a TD each byte costs an exit.
/// Errors: fw_cfg_absent, fw_cfg_item_missing; fw_cfg_item_size above `most`; memory_exhausted;
/// those of fw_cfg::Directory.
[[nodiscard]] Result<Bytes> read_fw_cfg(std::string_view name, std::size_t most);

} // namespace tdshim::runtime
