// SPDX-License-Identifier: Apache-2.0
//
// The firmware's ELF file: a static executable at fixed addresses whose segments can be put into an
// image as they are.
#pragma once

#include "shim/formats/elf/elf.hpp"

namespace tdshim::linker {

using elf::Segment;

struct Executable {
    Gpa entry;
    elf::SegmentList segments; ///< the loadable ones that are not empty
};

/// `file` as an executable: ET_EXEC without dynamic linking; each segment on pages of its own, at
/// equal virtual and physical addresses, not both writable and executable; the entry point in the
/// data of an executable segment. Errors: those of elf::parse, the elf_ faults; `at` is an offset
/// in `file`.
[[nodiscard]] Result<Executable> parse_executable(Bytes file);

} // namespace tdshim::linker
