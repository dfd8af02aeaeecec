// SPDX-License-Identifier: Apache-2.0
//
// What QEMU itself does to devices of a confidential guest, which td-emu's is not to QEMU.
#pragma once

#include <string>
#include <vector>

namespace tdshim::td_emu {

/// `arguments` for QEMU with disable-legacy=on and iommu_platform=on at virtio's devices, unless
/// they say it themselves: a TD's devices reach shared memory alone, and Linux in a TD refuses
/// others [QEMU hw/core/machine.c, machine_run_board_init; Linux drivers/virtio/virtio.c,
/// virtio_features_ok]. Devices in QEMU's JSON form stay as they are.
[[nodiscard]] std::vector<std::string> devices_of_td(std::vector<std::string> arguments);

} // namespace tdshim::td_emu
