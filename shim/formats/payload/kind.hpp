// SPDX-License-Identifier: Apache-2.0
//
// Which kind of payload a file is. Its content says so; what a VMM announces can only agree.
#pragma once

#include <cstdint>
#include <string_view>

#include "shim/base/bytes.hpp"

namespace tdshim::payload {

enum class Kind {
    elf,         ///< ELF64 executable
    pe,          ///< PE32+ executable
    bzimage,     ///< Linux, as distributions ship it
    vmlinux,     ///< Linux as ELF64, linked for the kernel's half of the address space
    uki,         ///< unified kernel image: a PE file with a section ".linux"
    bundle,      ///< Linux bundle: the files of a boot in a cpio archive
    raw_vmlinux, ///< Linux that the VMM loaded to where it runs; its bytes show nothing
};

/// "ELF executable", "bzImage", ... for people.
[[nodiscard]] std::string_view name_of(Kind kind);

/// Never raw_vmlinux. Errors: payload_kind, efi_application, and those of the parser that looks
/// closer.
[[nodiscard]] Result<Kind> kind_of(Bytes file);

/// The size of the file at the start of `memory`, which a VMM filled and which may be larger: by
/// its headers, with what signers append to it. A raw vmlinux takes all of `memory`.
/// Errors: truncated, and those of the parser of its kind.
[[nodiscard]] Result<std::uint64_t> file_size(Kind kind, Bytes memory);

} // namespace tdshim::payload
