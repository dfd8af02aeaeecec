// SPDX-License-Identifier: Apache-2.0
//
// The ACPI tables that the firmware finds in what a VMM brings, and what it refuses of them: its
// own steps [shim/boot/acpi_files.cpp, acpi_hob_tables.cpp], taken on copies.
#pragma once

#include "shim/formats/hob/hob.hpp"
#include "tools/shim-measure/inputs.hpp"

namespace tdshim::tools {

/// A TD HOB. Errors, in words: those of hob::parse.
[[nodiscard]] Outcome<hob::TdHob> list_of_hob(const InputBytes& list, const Image& image);

/// The tables of a TD HOB by their signatures, in its order. Errors, in words: those of hob::parse
/// and acpi::check_hob_table.
[[nodiscard]] Outcome<std::vector<vmm::ConfigFile>> tables_of_hob(const InputBytes& list,
                                                                  const Image& image);

/// What a loader script is run for.
struct ScriptRun {
    bool is_td = false;
    std::uint32_t image_options = 0; ///< tdvf::option_ bits
    std::string origin;              ///< of the files, for messages
};

/// Runs etc/table-loader, the first of `files`, over the others. Returns the tables as they are
/// linked, by their signatures: those that the VMM's root lists, a FADT's DSDT behind it where the
/// image takes one. Errors, in words: those of acpi::Script, acpi::LoadedFiles, acpi::find_tables;
/// acpi_no_madt for a TD.
[[nodiscard]] Outcome<std::vector<vmm::ConfigFile>>
tables_of_files(const std::vector<vmm::ConfigFile>& files, const ScriptRun& run);

/// What is refused of tables that each are good: a second FADT, and a MADT of a TD that has a
/// wakeup mailbox.
[[nodiscard]] Result<void> check_tables(const std::vector<vmm::ConfigFile>& tables, bool is_td);

/// Whether an executable's HOB list has room for `tables` of `origin`
/// [shim/boot/executable_payload.cpp]. Errors, in words: a table of more than 65,504 bytes, which
/// fits in no HOB; hob_list_full.
[[nodiscard]] Outcome<> check_room_in_hob(const std::vector<vmm::ConfigFile>& tables,
                                          const std::string& origin);

} // namespace tdshim::tools
