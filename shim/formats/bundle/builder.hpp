// SPDX-License-Identifier: Apache-2.0
//
// Writes bundles, for shim-bundle and tests; the firmware makes none.
#pragma once

#include <cstdint>

#include "shim/formats/bundle/bundle.hpp"

namespace tdshim::bundle {

/// The contents of a bundle; the last three may be empty, and are left out then.
struct Contents {
    Manifest manifest;
    Bytes kernel;
    Bytes initrd;
    Bytes command_line;
    Bytes events;
};

/// Bytes of the file. Errors: bundle_member_size, of a kernel or initrd that is empty or too large
/// for the format, with `at` 0.
[[nodiscard]] Result<std::uint64_t> size_of(const Contents& contents);

/// Fills `area`, which has size_of() bytes. What it writes parse() takes, when the command line and
/// the title are good. Errors: those of size_of(); truncated when the area has another size.
[[nodiscard]] Result<void> write(MutableBytes area, const Contents& contents);

} // namespace tdshim::bundle
