// SPDX-License-Identifier: Apache-2.0
//
// Unified kernel images for tests, as little of a PE file as the shim reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/support.hpp"

namespace tdshim::test {

struct UkiSection {
    std::string_view name;
    std::string content;
    std::size_t more_memory = 0; ///< than data
};

/// A PE file with these sections, each on a multiple of 0x200 in the file.
inline Blob pe_with(const std::vector<UkiSection>& sections) {
    Blob file;
    file.text("MZ").fill(0x3A, 0).u32(0x80).fill(0x40, 0).text("PE").u16(0);
    file.u16(0x8664).u16(sections.size()).u32(0).u32(0).u32(0).u16(112).u16(0x22);
    file.u16(0x20B).fill(110, 0);
    std::size_t raw = 0x800;
    for (const UkiSection& section : sections) {
        const std::size_t padded = (section.content.size() + 0x1FF) / 0x200 * 0x200;
        file.text(section.name).fill(8 - section.name.size(), 0);
        file.u32(section.content.size() + section.more_memory).u32(0x1000).u32(padded).u32(raw);
        file.fill(12, 0).u32(0x4000'0000);
        raw += padded;
    }
    file.fill(0x800 - file.size(), 0);
    for (const UkiSection& section : sections)
        file.text(section.content).fill((0x200 - section.content.size() % 0x200) % 0x200, 0);
    return file;
}

} // namespace tdshim::test
