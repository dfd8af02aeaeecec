// SPDX-License-Identifier: Apache-2.0
//
// Scripts of QEMU's table loader for tests, command by command, as hw/acpi/bios-linker-loader.c
// lays them out: a packed union behind a 32-bit command, 128 bytes in all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/unit/support.hpp"

namespace tdshim::test {

inline constexpr std::size_t command_size = 128;

class ScriptBlob {
  public:
    ScriptBlob& allocate(std::string_view file, std::uint32_t alignment = 64, unsigned zone = 1) {
        return finish(begin(1).bytes(name(file).view()).u32(alignment).u8(zone));
    }
    ScriptBlob& add_pointer(std::string_view file, std::string_view source, std::uint32_t offset,
                            unsigned size) {
        return finish(
            begin(2).bytes(name(file).view()).bytes(name(source).view()).u32(offset).u8(size));
    }
    ScriptBlob& add_checksum(std::string_view file, std::uint32_t offset, std::uint32_t start,
                             std::uint32_t length) {
        return finish(begin(3).bytes(name(file).view()).u32(offset).u32(start).u32(length));
    }
    ScriptBlob& write_pointer(std::string_view file, std::string_view source, std::uint32_t offset,
                              std::uint32_t source_offset, unsigned size) {
        return finish(begin(4)
                          .bytes(name(file).view())
                          .bytes(name(source).view())
                          .u32(offset)
                          .u32(source_offset)
                          .u8(size));
    }
    /// Commands of number `kind`, for `file`, and nothing else.
    ScriptBlob& other(std::uint32_t kind, std::string_view file, std::size_t times = 1) {
        for (std::size_t i = 0; i < times; ++i)
            finish(begin(kind).bytes(name(file).view()));
        return *this;
    }
    ScriptBlob& patch(std::size_t offset, std::size_t size, std::uint64_t value) {
        bytes_.patch(offset, size, value);
        return *this;
    }

    [[nodiscard]] Bytes view() const { return bytes_.view(); }

  private:
    static Blob name(std::string_view text) {
        Blob field = Blob().text(text);
        field.resize(56);
        return field;
    }
    static Blob begin(std::uint32_t kind) { return Blob().u32(kind); }
    ScriptBlob& finish(Blob& command) {
        command.resize(command_size);
        bytes_.bytes(command.view());
        return *this;
    }

    Blob bytes_;
};

} // namespace tdshim::test
