// SPDX-License-Identifier: Apache-2.0
//
// The firmware's ELF file against the layout: what of it stands in the image, and where the reset
// vector copies that.
#pragma once

#include <cstdint>

#include "linker/elf.hpp"

namespace tdshim::linker {

struct Shim {
    Executable executable;
    std::uint64_t rom_size = 0;  ///< bytes from the start of layout::shim_code that the image holds
    std::uint64_t code_size = 0; ///< of executable segments, in memory
    std::uint64_t constants_size = 0; ///< of read-only segments, in memory
    std::uint64_t memory_size = 0;    ///< of writable segments
};

/// `elf` as the shim: read-only and executable segments at the start of layout::shim_code, no
/// longer than layout::shim_rom; writable ones in layout::shim_data and without data, because
/// nothing copies any there. Errors: those of parse_executable; elf_segment_address,
/// elf_segment_initialised_data.
[[nodiscard]] Result<Shim> parse_shim(Bytes elf);

/// Puts the segments that the image holds into `rom`, which stands for layout::shim_rom.
void place_in_rom(const Shim& shim, MutableBytes rom);

} // namespace tdshim::linker
