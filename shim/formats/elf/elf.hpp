// SPDX-License-Identifier: Apache-2.0
//
// Reads an ELF64 file for x86-64 [System V ABI, 4 and 5]: what can be loaded of it, checked as far
// as any loader needs it. The firmware itself, executable payloads and vmlinux each ask for more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/elf/wire.hpp"

namespace tdshim::elf {

struct Segment {
    std::uint64_t header_offset = 0; ///< of its program header in the file, for messages
    GpaRange memory;                 ///< at its virtual address; not empty
    Gpa physical;
    Bytes data; ///< in the file; memory behind it is zero
    bool writable = false;
    bool executable = false;
};

inline constexpr std::size_t max_segments = 16;
using SegmentList = StaticVector<Segment, max_segments>;

/// Where a header says that something stands in the file.
struct Part {
    std::uint64_t header_offset = 0;
    Bytes bytes;
};

struct File {
    bool is_position_independent = false; ///< ET_DYN, not ET_EXEC
    Gpa entry;
    SegmentList segments; ///< the loadable ones that are not empty
    std::optional<Part> dynamic;
};

[[nodiscard]] bool has_magic(Bytes file);

/// `file` as ELF64 for x86-64, ET_EXEC or ET_DYN, without an interpreter; the data of each segment
/// inside the file, no longer than its memory; no two segments at one virtual address. Errors:
/// truncated, too_many_entries, the elf_ faults; `at` is an offset in `file`.
[[nodiscard]] Result<File> parse(Bytes file);

/// Refuses a segment that is both writable and executable.
[[nodiscard]] Result<void> check_permissions(const Segment& segment);

/// Whether `address` lies in the data of an executable segment.
[[nodiscard]] bool is_code(const Segment& segment, Gpa address);

/// Bytes from the start of `file` to the end of the last thing that its headers name: a file's size
/// where only the memory that it was put into is known. `file` was parsed.
/// Errors: truncated, elf_segment_outside_file.
[[nodiscard]] Result<std::uint64_t> file_size(Bytes file);

} // namespace tdshim::elf
