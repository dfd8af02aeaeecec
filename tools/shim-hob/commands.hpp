// SPDX-License-Identifier: Apache-2.0
//
// What shim-hob does with a TD HOB.
#pragma once

#include <string>
#include <vector>

#include "tools/common/exit_code.hpp"
#include "tools/common/failure.hpp"
#include "tools/vmm/td_hob.hpp"

namespace tdshim::tools {

struct BuildOptions {
    std::string image;
    std::string output;
    vmm::Kind vmm = vmm::Kind::qemu;
    std::uint64_t memory = std::uint64_t{2} << 30;
    std::vector<std::string> mmio;       ///< each "START:SIZE"
    std::vector<std::string> acpi_files; ///< each one table
    std::string payload;                 ///< "TYPE:ENTRY", or empty
};

/// Writes the HOB list that the VMM would give this image.
[[nodiscard]] Outcome<ExitCode> build(const BuildOptions& options);

/// Prints every HOB of a list, and what it says about memory. An error of the list's rules, which
/// are the firmware's, ends in a Failure after what could be read.
[[nodiscard]] Outcome<ExitCode> print(const std::string& file, bool json);

} // namespace tdshim::tools
