// SPDX-License-Identifier: Apache-2.0
//
// What QEMU itself does to devices of a confidential guest, which td-emu's is not to QEMU.
#pragma once

#include <string>
#include <vector>

namespace tdshim::td_emu {

/// QEMU's options that make disable-legacy=on and iommu_platform=on the defaults of virtio's
/// devices, however they are asked for (-device, -drive, -nic): a TD's devices reach shared memory
/// alone, and Linux in a TD refuses others [QEMU hw/core/machine.c, machine_run_board_init; Linux
/// drivers/virtio/virtio.c, virtio_features_ok].
[[nodiscard]] std::vector<std::string> defaults_of_td_devices();

/// The first of QEMU's `arguments` that takes a virtio device that from a TD: its name and what it
/// says; empty where none does.
[[nodiscard]] std::string undone_default(const std::vector<std::string>& arguments);

} // namespace tdshim::td_emu
