// SPDX-License-Identifier: Apache-2.0
//
// The boot_params that a boot handed to Linux, and what Linux finds by them.
#pragma once

#include <optional>

#include "shim/formats/efi/wire.hpp"
#include "shim/formats/linux/boot_params.hpp"
#include "shim/formats/smbios/tables.hpp"
#include "tests/native/machine.hpp"

namespace tdshim::native {

/// `outcome` is one in which Linux was started.
[[nodiscard]] inline linux_boot::BootParams params_of(Machine& machine, const Outcome& outcome) {
    return *read_at<linux_boot::BootParams>(
        machine.memory(outcome.linux->boot_params, sizeof(linux_boot::BootParams)), 0);
}

template <Wire T>
[[nodiscard]] T read_memory(Machine& machine, std::uint64_t address) {
    return *read_at<T>(machine.memory({address}, sizeof(T)), 0);
}

/// Where EFI's configuration table of this name leads to, if Linux is given EFI's tables and there
/// is one.
[[nodiscard]] inline std::optional<std::uint64_t>
efi_table(Machine& machine, const linux_boot::BootParams& params, const Guid& guid) {
    if (params.efi_info.signature[0] == 0)
        return std::nullopt;
    const auto system = read_memory<efi::SystemTable>(
        machine,
        std::uint64_t{params.efi_info.system_table_high} << 32 | params.efi_info.system_table);
    for (std::uint64_t i = 0; i < system.table_count; ++i) {
        const auto table = read_memory<efi::ConfigurationTable>(
            machine, system.configuration_table + i * sizeof(efi::ConfigurationTable));
        if (table.guid == guid)
            return table.table;
    }
    return std::nullopt;
}

/// The SMBIOS tables that Linux finds; empty where it finds none.
[[nodiscard]] inline Bytes smbios_tables(Machine& machine, const linux_boot::BootParams& params) {
    const auto found = efi_table(machine, params, efi::smbios3_guid);
    if (!found)
        return {};
    const auto entry = read_memory<smbios::EntryPoint>(machine, *found);
    return machine.memory({entry.tables}, entry.tables_size);
}

} // namespace tdshim::native
