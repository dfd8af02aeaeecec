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

/// Whether a kernel that takes `limit` bytes takes `line`. Errors: command_line_too_long,
/// command_line_nul.
[[nodiscard]] Result<void> check_line(Bytes line, std::uint64_t limit);

} // namespace tdshim::plan
