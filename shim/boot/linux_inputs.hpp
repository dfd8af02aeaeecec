// SPDX-License-Identifier: Apache-2.0
//
// The step that brings what Linux is given beside the kernel, the initrd and the command line, into
// memory: from the payload itself, from the places where the VMM put them, or by fw_cfg.
#pragma once

#include <optional>
#include <string_view>

#include "shim/boot/context.hpp"
#include "shim/formats/linux/setup_header.hpp"
#include "shim/plan/payload_files.hpp"

namespace tdshim::boot {

/// An input that is a file of its own in fw_cfg: a named item, else the item of a legacy key.
struct Item {
    std::string_view name;
    fw_cfg::Selector selector = 0;
    std::uint32_t size = 0;
};

/// An initrd that the VMM supplies; it is not read yet.
struct SuppliedInitrd {
    std::optional<GpaRange> placed; ///< in the Payload section
    std::optional<Item> item;
    std::string_view source;

    [[nodiscard]] std::uint64_t size() const {
        return placed ? placed->size() : item ? item->size : 0;
    }
};

/// Errors: hob_initrd_place, those of Items.
[[nodiscard]] Result<SuppliedInitrd> find_initrd(Context& context);

/// What the payload brings, and what it is.
struct OwnFiles {
    const plan::PayloadFiles& files;
    std::string_view source;
    bool is_signed = false;
};

/// Measures the initrd and places it at the highest address that `kernel` allows; of two, each is
/// measured. Returns where it is, empty: there is none.
/// Errors: initrd_does_not_fit, initrd_acpi_tables, those of Items.
[[nodiscard]] Result<GpaRange> load_initrd(Context& context, const linux_boot::Kernel& kernel,
                                           const OwnFiles& own, const SuppliedInitrd& supplied);

/// Measures the command line as the kernel is to see it, also an empty one, and returns where it
/// is, with a NUL behind it. One that is appended to another has a blank before it.
/// Errors: the command_line_ faults, uki_supplied_twice, payload_sealed, those of Items.
[[nodiscard]] Result<Gpa> load_command_line(Context& context, const linux_boot::Kernel& kernel,
                                            const OwnFiles& own);

} // namespace tdshim::boot
