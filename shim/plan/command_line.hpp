// SPDX-License-Identifier: Apache-2.0
//
// The command line that a kernel is to see: the payload's own, the VMM's, or one behind the other.
#pragma once

#include "shim/plan/payload_files.hpp"

namespace tdshim::plan {

/// The text in an item of the VMM's: QEMU's legacy key ends it with a NUL, and says by a lone NUL
/// that there is none. Whether there is one is known only when all of it has been read.
[[nodiscard]] Bytes text_of_item(Bytes item);

/// Where the VMM's text stands in the memory of a line: behind the payload's own and a blank.
[[nodiscard]] std::size_t place_of_supplied(const Own& own);

/// Writes `own` and a blank in front of `supplied`, which stands at place_of_supplied() of `memory`
/// already, and returns the line. Either may be empty; then the other is the line.
/// Errors: those of check_beside().
[[nodiscard]] Result<Bytes> join(const Own& own, Bytes supplied, MutableBytes memory);

/// Whether a kernel that takes `limit` bytes may be given `line`; `is_supplied`: the VMM has a part
/// in it. Such a line, and an unsigned payload's, may have, anywhere, neither initrdmem= nor
/// initrd= with numbers, nor acpi_rsdp= where tables are kept out. Errors: command_line_too_long,
/// command_line_nul; command_line_memory and command_line_acpi with the offset of the name.
[[nodiscard]] Result<void> check_line(Bytes line, bool is_supplied, std::uint64_t limit,
                                      const Demands& demands);

} // namespace tdshim::plan
