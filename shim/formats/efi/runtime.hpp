// SPDX-License-Identifier: Apache-2.0
//
// Runtime services that are none. Linux wants a table of them, and memory for run time, to go on
// with EFI's tables after its own page tables are made, and to hand them to a kernel that it starts
// by kexec [Linux arch/x86/platform/efi/efi.c, __efi_enter_virtual_mode; arch/x86/kernel/
// kexec-bzimage64.c, setup_efi_state]. So there are a page of code, in which every function says
// EFI_UNSUPPORTED and SetVirtualAddressMap success, and a page of data that begins with their
// table.
#pragma once

#include <array>
#include <cstddef>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/formats/efi/wire.hpp"

namespace tdshim::efi {

/// The page of code, then that of data.
inline constexpr std::uint64_t runtime_size = 2 * page_size;

/// What is told of a runtime at `place`: two descriptors with attribute RUNTIME and, where
/// `with_protection`, what may be done there [UEFI 2.10, 4.6.4].
[[nodiscard]] std::array<MemoryDescriptor, 2> runtime_descriptors(Gpa place, bool with_protection);

/// Where the table of the services is in a runtime at `place`.
[[nodiscard]] constexpr Gpa runtime_services(Gpa place) {
    return {place.value + page_size};
}

/// Writes code and table to `area`, which is zero, stands at `place` and has at least runtime_size
/// bytes.
void write_runtime(MutableBytes area, Gpa place);

} // namespace tdshim::efi
