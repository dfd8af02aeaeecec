// SPDX-License-Identifier: Apache-2.0
//
// Reads a PE32+ image file for x86-64 [Microsoft PE Format]: its headers and its sections, checked
// as far as both of its uses need it, as an executable and as the container of a unified kernel
// image.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/pe/wire.hpp"

namespace tdshim::pe {

struct Section {
    std::uint64_t header_offset = 0; ///< in the file, for messages
    std::array<char, 8> padded_name{};
    std::uint64_t address = 0;     ///< from the image's base
    std::uint64_t memory_size = 0; ///< VirtualSize, or the data's where that is 0
    Bytes raw;                     ///< in the file, with its padding
    bool writable = false;
    bool executable = false;

    [[nodiscard]] std::string_view name() const;
    /// What of `raw` belongs into memory.
    [[nodiscard]] Bytes data() const {
        return raw.first(raw.size() < memory_size ? raw.size() : memory_size);
    }
};

/// Systemd's stub has about a dozen, kernels of profiles more.
inline constexpr std::size_t max_sections = 64;
inline constexpr std::size_t max_directories = 16;

struct File {
    std::uint64_t optional_header_offset = 0; ///< in the file, for messages
    OptionalHeader header;
    bool has_relocations_stripped = false;
    std::array<DataDirectory, max_directories> directories{}; ///< those that the file lacks are 0
    StaticVector<Section, max_sections> sections;             ///< in the order of their headers

    /// Null when there is none.
    [[nodiscard]] const Section* find(std::string_view name) const;
};

/// Whether `file` begins like one; an old kernel's boot sector need not.
[[nodiscard]] bool has_magic(Bytes file);

/// `file` as PE32+ for x86-64; the data of each section inside the file.
/// Errors: truncated, pe_header, pe_section_outside_file, too_many_entries; `at` is an offset in
/// `file`.
[[nodiscard]] Result<File> parse(Bytes file);

/// Bytes from the file's start to the end of the last thing that its headers name, signatures among
/// them: a file's size where only the memory that it was put into is known. Errors: truncated.
[[nodiscard]] Result<std::uint64_t> file_size(const File& parsed, Bytes file);

} // namespace tdshim::pe
