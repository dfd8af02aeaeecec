// SPDX-License-Identifier: Apache-2.0
//
// An executable payload, ELF or PE, as a loader sees it: parts of one stretch of memory with
// permissions of their own, and relocations for a base that it was not linked for. No part is both
// writable and executable, and no two share a page.
#pragma once

#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/static_vector.hpp"

namespace tdshim::executable {

/// A file format; it decides the calling convention of the entry point as well.
enum class Format { elf, pe };

struct Part {
    std::uint64_t header_offset = 0; ///< in the file, for messages
    std::uint64_t offset = 0;        ///< from the program's base
    std::uint64_t size = 0;          ///< of memory; what `data` does not fill is zero
    Bytes data;                      ///< in the file
    bool writable = false;
    bool executable = false;
};

inline constexpr std::size_t max_parts = 32;
/// More than any payload needs; a larger number would only serve to make sums large.
inline constexpr std::uint64_t max_size = 1 * GiB;

struct Program {
    Format format{};
    Gpa linked_base;             ///< whole pages
    bool is_relocatable = false; ///< may stand elsewhere
    std::uint64_t size = 0;      ///< memory from the base, whole pages
    std::uint64_t entry = 0;     ///< from the base
    StaticVector<Part, max_parts> parts;
    std::uint64_t relocations_at = 0; ///< offset of `relocations` in the file, for messages
    Bytes relocations;                ///< in the file
};

/// An ELF executable, static, ET_EXEC or ET_DYN with relative relocations. Errors: those of
/// elf::parse, elf_segment_writable_executable, elf_page_shared, elf_dynamic, relocation_kind,
/// executable_size, executable_no_entry; `at` is an offset in `file`.
[[nodiscard]] Result<Program> parse_elf(Bytes file);

/// A PE executable that imports nothing. Errors: those of pe::parse, the pe_ faults,
/// executable_size, executable_no_entry; `at` is an offset in `file`.
[[nodiscard]] Result<Program> parse_pe(Bytes file);

/// Fills `memory`, program.size bytes that will stand at `base`: the parts, zeros between them, and
/// relocations where `base` is not what the program was linked for.
/// Errors: relocation_missing, relocation_kind, relocation_place, truncated.
[[nodiscard]] Result<void> load(const Program& program, Gpa base, MutableBytes memory);

} // namespace tdshim::executable
