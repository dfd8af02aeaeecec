// SPDX-License-Identifier: Apache-2.0
//
// What programs of both formats are checked for.
#pragma once

#include "shim/formats/executable/program.hpp"

namespace tdshim::executable {

/// Sorts the parts and sets the program's size from them, at least `least` bytes. Errors: `overlap`
/// when two of them share a page, with the part's header offset; executable_size.
[[nodiscard]] Result<void> settle_parts(Program& program, std::uint64_t least, Fault overlap);

/// Refuses an entry point outside the data of an executable part; `at` is where the file has it.
[[nodiscard]] Result<void> check_entry(const Program& program, std::uint64_t at);

[[nodiscard]] Result<void> relocate_elf(const Program& program, Gpa base, MutableBytes memory);
[[nodiscard]] Result<void> relocate_pe(const Program& program, Gpa base, MutableBytes memory);

} // namespace tdshim::executable
