// SPDX-License-Identifier: Apache-2.0
//
// The configuration files that QEMU offers a firmware by fw_cfg and that are measured: asked of a
// QEMU that runs no processor, or read from a folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/common/failure.hpp"

namespace tdshim::vmm {

struct ConfigFile {
    std::string name; ///< as in fw_cfg's directory, e.g. "etc/acpi/tables"
    std::vector<std::byte> content;
};

struct ConfigFiles {
    std::vector<std::byte> e820;  ///< etc/e820: the memory map of a VM that is no TD
    std::vector<ConfigFile> acpi; ///< etc/table-loader, then the files that it loads, in its order
    /// etc/smbios/smbios-tables, which not every machine has.
    std::optional<ConfigFile> smbios;
};

/// A machine as QEMU's options describe it.
struct QemuMachine {
    std::string qemu;            ///< the program
    std::string machine = "q35"; ///< -machine, with options of its own if need be
    std::uint64_t memory = 0;    ///< bytes
    unsigned cpus = 1;
    bool is_td = true;             ///< has a processor with TDX, else QEMU's default
    std::vector<std::string> more; ///< further options, e.g. devices
};

/// What that machine offers, after the set-up of its chipset that the firmware does. QEMU is run
/// with its processors stopped: no code of the guest, and no KVM. A serial port is there, as always
/// in a machine of launch/qemu.sh. Its own messages go to stderr.
[[nodiscard]] tools::Outcome<ConfigFiles> config_files_of_qemu(const QemuMachine& machine);

/// The same from `folder`, where each file stands under its name, e.g. FOLDER/etc/table-loader.
/// etc/e820 and the SMBIOS tables may be missing.
[[nodiscard]] tools::Outcome<ConfigFiles> config_files_of_folder(const std::string& folder);

/// Writes them so, making folders as needed.
[[nodiscard]] tools::Outcome<> write_config_files(const ConfigFiles& files,
                                                  const std::string& folder);

} // namespace tdshim::vmm
