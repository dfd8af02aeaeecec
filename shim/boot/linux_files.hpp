// SPDX-License-Identifier: Apache-2.0
//
// The files of a Linux boot that one payload brings: a kernel alone, or with what a unified kernel
// image or a bundle has beside it.
#pragma once

#include "shim/boot/linux_inputs.hpp"
#include "shim/boot/payload_file.hpp"

namespace tdshim::boot {

struct LinuxFiles {
    payload::Kind kind{}; ///< of the kernel
    Bytes kernel;
    Own initrd{};
    Own command_line{};
    Bytes os_release{}; ///< of a unified kernel image
    Bytes manifest{};   ///< of a bundle, as is the next
    Bytes events{};
};

/// Takes `file` apart, views into it, and looks at all of it before the first part is used. Parts
/// are measured, not the container, so that registers are the same however the files come.
/// Errors: those of payload::parse_uki, bundle::parse and bundle::EventsFile; uki_nested,
/// bundle_kernel.
[[nodiscard]] Result<LinuxFiles> files_of(const PayloadFile& file);

} // namespace tdshim::boot
