// SPDX-License-Identifier: Apache-2.0
//
// QEMU's options for the disks of a machine that is asked and not run.
#pragma once

#include <string>
#include <vector>

namespace tdshim::vmm {

/// `words` with each local file of a -drive opened for reading alone and without a lock, so that
/// it may be the disk of a guest that runs, and stays as it is. QEMU's locks [QEMU
/// docs/system/qemu-block-drivers.rst, "Disk image file locking"] would refuse that.
/// Of -blockdev nothing is changed: a device may refuse a node that cannot be written.
[[nodiscard]] std::vector<std::string> without_disk_locks(std::vector<std::string> words);

} // namespace tdshim::vmm
