// SPDX-License-Identifier: Apache-2.0
//
// ACPI tables of AML as files: what `shim-enroll --aml` is given for a digest.
#pragma once

#include <string>
#include <vector>

#include "shim/crypto/sha384.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// SHA-384 of the table that the file `path` is; of a folder, of each file in it that is a table of
/// AML, by their names. /sys/firmware/acpi/tables is such a folder; the ones below it are not
/// looked into, for what AML loaded itself did not come from the VMM as a table.
[[nodiscard]] Outcome<std::vector<crypto::Digest>> digests_of_aml(const std::string& path);

} // namespace tdshim::tools
