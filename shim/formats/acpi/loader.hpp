// SPDX-License-Identifier: Apache-2.0
//
// The script etc/table-loader, by which QEMU tells a firmware to load ACPI files and to link them
// to each other [QEMU hw/acpi/bios-linker-loader.c]. The script is the VMM's: no command reaches
// outside the files that it names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/acpi/wire.hpp"

namespace tdshim::acpi {

enum class CommandKind : std::uint32_t {
    padding = 0, ///< QEMU fills the script up to a page with zeros
    allocate = 1,
    add_pointer = 2,
    add_checksum = 3,
    write_pointer = 4,
};

/// One command; the fields that its kind does not have are zero. Names refer to the script.
struct Command {
    CommandKind kind{};
    std::uint64_t at = 0; ///< byte offset in the script, for messages
    std::string_view file;
    std::string_view source;
    std::uint32_t offset = 0;
    std::uint32_t source_offset = 0;
    std::uint32_t start = 0;
    std::uint32_t length = 0;
    std::uint32_t alignment = 0;
    std::uint8_t pointer_size = 0;
};

/// A script of more commands is refused as absurd.
inline constexpr std::size_t max_commands = 1024;

/// A checked walk over the commands of a script, which must outlive it.
class Script {
  public:
    /// Errors: loader_size, too_many_entries.
    [[nodiscard]] static Result<Script> open(Bytes bytes);
    [[nodiscard]] std::size_t size() const { return bytes_.size() / sizeof(LoaderCommand); }
    /// Errors: loader_command, loader_file_name, loader_alignment, loader_zone,
    /// loader_pointer_size.
    [[nodiscard]] Result<Command> command(std::size_t index) const;

  private:
    explicit Script(Bytes bytes) : bytes_(bytes) {}
    Bytes bytes_;
};

struct LoadedFile {
    std::string_view name;
    Gpa place;
    MutableBytes content;
};

inline constexpr std::size_t max_loaded_files = 16;
inline constexpr std::uint64_t max_file_size = 16 * MiB;

/// The files that allocate commands brought into memory, and the links between them.
class LoadedFiles {
  public:
    /// Errors: loader_file_twice, too_many_entries.
    [[nodiscard]] Result<void> add(const Command& allocate, Gpa place, MutableBytes content);

    /// Errors: loader_file_unknown, loader_offset, loader_pointer_size.
    [[nodiscard]] Result<void> add_pointer(const Command& command);
    /// Errors: loader_file_unknown, loader_offset, loader_checksum_range.
    [[nodiscard]] Result<void> add_checksum(const Command& command);
    /// The address that a write_pointer command tells the VMM.
    /// Errors: loader_file_unknown, loader_offset, loader_pointer_size.
    [[nodiscard]] Result<std::uint64_t> pointer_value(const Command& command) const;

    [[nodiscard]] const LoadedFile* find(std::string_view name) const;
    /// The bytes from `address` to the end of the file that holds it; empty when none does.
    [[nodiscard]] Bytes from(Gpa address) const;

  private:
    StaticVector<LoadedFile, max_loaded_files> files_;
};

} // namespace tdshim::acpi
