// SPDX-License-Identifier: Apache-2.0
//
// The step that brings what Linux is given beside the kernel, the initrd and the command line, into
// memory: from the payload itself, from the places where the VMM put them, or by fw_cfg.
#pragma once

#include "shim/boot/context.hpp"
#include "shim/formats/linux/setup_header.hpp"

namespace tdshim::boot {

/// What becomes of an input that the VMM supplies beside the payload.
enum class Beside {
    instead,  ///< it is taken where the payload brings none
    refused,  ///< the payload is all that runs: its signer, or its manifest, wants it so
    appended, ///< it goes behind the payload's own
};

/// What a payload that is more than a kernel brings itself.
struct Own {
    Bytes bytes;             ///< empty: it brings none
    std::string_view source; ///< what the payload is
    Beside beside = Beside::instead;
};

/// Measures the initrd and places it at the highest address that `kernel` allows; of two, each is
/// measured. Returns where it is, empty: there is none.
/// Errors: initrd_does_not_fit, uki_supplied_twice, payload_sealed, hob_initrd_place, those of
/// Items.
[[nodiscard]] Result<GpaRange> load_initrd(Context& context, const linux_boot::Kernel& kernel,
                                           const Own& own);

/// Measures the command line as the kernel is to see it, also an empty one, and returns where it
/// is, with a NUL behind it. One that is appended to another has a blank before it.
/// Errors: the command_line_ faults, uki_supplied_twice, payload_sealed, those of Items.
[[nodiscard]] Result<Gpa> load_command_line(Context& context, const linux_boot::Kernel& kernel,
                                            const Own& own);

} // namespace tdshim::boot
