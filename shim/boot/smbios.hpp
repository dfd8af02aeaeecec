// SPDX-License-Identifier: Apache-2.0
//
// SMBIOS tables of the VMM's, which are handed on where the launch asks for it: they tell of the
// host (its processor, serial numbers that the VMM chooses), so that a boot with them has a
// register of its own, and programs take them for the machine's word, so that one without them has
// less to trust.
#pragma once

#include <cstdint>

#include "shim/boot/context.hpp"

namespace tdshim::boot {

/// Where fw_cfg has opt/org.tdshim/smbios, which says "pass": copies etc/smbios/smbios-tables,
/// measures and checks it, and leaves its place in the context. Errors: fw_cfg_item_size,
/// smbios_policy, fw_cfg_item_missing, those of smbios::check_tables and MemoryMap.
[[nodiscard]] Result<void> load_smbios_tables(Context& context);

} // namespace tdshim::boot
