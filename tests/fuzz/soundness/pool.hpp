// SPDX-License-Identifier: Apache-2.0
//
// The few blobs that all launches are made of. Whatever holds one may hold any other, so that a
// kernel's neighbour, a section's content or a bundle's member come to be confused by machine and
// not by whoever thought of a confusion.
#pragma once

#include <optional>

#include "tests/fuzz/soundness/choices.hpp"

namespace tdshim::soundness {

/// Where the VMM of an image with sections for it puts the payload, and the initrd behind it. The
/// section is small: of a raw vmlinux all of it is hashed at each boot.
inline constexpr auto payload_section = GpaRange::of<32 * MiB, 64 * KiB>();

/// Pieces of a boot: kernels, an initrd and another, texts, a manifest.
[[nodiscard]] const Blob& any_blob(const Choices& choices, Choice which);
/// One that may be missing.
[[nodiscard]] std::optional<Blob> any_input(const Choices& choices, Choice which);
/// As any_blob(), kernels first.
[[nodiscard]] const Blob& any_kernel(const Choices& choices);

/// A small program; each ends in another byte.
[[nodiscard]] Blob elf_executable(unsigned char last);
/// The same linked as Linux is: in the upper half, for these physical addresses.
[[nodiscard]] Blob vmlinux(unsigned char last);

} // namespace tdshim::soundness
