// SPDX-License-Identifier: Apache-2.0
//
// A unified kernel image [UAPI Group, UKI specification]: a PE file whose sections are the files of
// a boot. Its stub, which needs UEFI, is not run: the shim takes the files and boots them itself.
#pragma once

#include "shim/base/bytes.hpp"
#include "shim/formats/pe/pe.hpp"

namespace tdshim::payload {

struct UnifiedKernelImage {
    Bytes kernel;       ///< .linux
    Bytes initrd;       ///< .initrd; empty: none
    Bytes command_line; ///< .cmdline, without NULs and line ends behind it; empty: none
    Bytes os_release;   ///< .osrel; empty: none
};

[[nodiscard]] bool is_uki(const pe::File& file);

/// The parts that the shim uses, each without the padding of its section.
/// Errors: those of pe::parse; uki_profiles, uki_microcode, uki_section_size, uki_section_twice.
[[nodiscard]] Result<UnifiedKernelImage> parse_uki(Bytes file);

} // namespace tdshim::payload
