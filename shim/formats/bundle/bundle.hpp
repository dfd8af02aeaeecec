// SPDX-License-Identifier: Apache-2.0
//
// Takes a Linux bundle apart: kernel, initrd, command line and events of one boot in one file,
// which one signature covers. Views into the file; whether anybody signed it shim/verify says.
#pragma once

#include <cstdint>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/formats/bundle/wire.hpp"

namespace tdshim::bundle {

/// What the bundle's maker says about inputs that a VMM gives beside it: refused, or appended
/// behind the bundle's own.
struct Manifest {
    bool appends_command_line = false;
    bool appends_initrd = false;
    std::string_view title; ///< for people, printable ASCII; empty: none
};

struct Bundle {
    Manifest manifest;
    Bytes manifest_file; ///< what is measured of it
    Bytes kernel;
    Bytes initrd;       ///< empty: none, as the next two
    Bytes command_line; ///< no NUL, no line end
    Bytes events;       ///< for EventsFile::parse, which is not called here
};

/// Whether `file` begins as a bundle does: no other payload begins so.
[[nodiscard]] bool has_magic(Bytes file);

/// The whole of `file` has to be a bundle; nothing in it can be another without being refused or
/// changing what comes out.
/// Errors: truncated, the bundle_ faults; `at` is an offset in `file`.
[[nodiscard]] Result<Bundle> parse(Bytes file);

/// Where the bundle ends that begins `memory`, in bytes. Errors: truncated, and those bundle_
/// faults that are about the container.
[[nodiscard]] Result<std::uint64_t> file_size(Bytes memory);

/// A manifest file alone. Errors: bundle_manifest, bundle_title; `at` is an offset in `file`.
[[nodiscard]] Result<Manifest> parse_manifest(Bytes file);

/// A command line alone, whose size is not looked at. Errors: bundle_command_line; `at` is an
/// offset in `text`.
[[nodiscard]] Result<void> check_command_line(Bytes text);

} // namespace tdshim::bundle
