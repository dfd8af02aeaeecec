// SPDX-License-Identifier: Apache-2.0
//
// The directory of fw_cfg files [QEMU docs/specs/fw_cfg.rst, "File Directory"], checked as a whole
// before any name in it is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/formats/fw_cfg/wire.hpp"

namespace tdshim::fw_cfg {

/// QEMU itself offers 32 files unless told otherwise; more than this is refused as absurd.
inline constexpr std::uint32_t max_files = 256;

struct File {
    Selector selector = 0;
    std::uint32_t size = 0; ///< bytes
};

class Directory {
  public:
    /// Number of files that the first four bytes of the directory item announce.
    /// Errors: fw_cfg_count above max_files.
    [[nodiscard]] static Result<std::uint32_t> count(const be32& announced);

    /// Checks the entries that follow the count; `entries` must outlive the directory.
    /// Errors: truncated, fw_cfg_count, fw_cfg_name, fw_cfg_selector, fw_cfg_duplicate_name.
    [[nodiscard]] static Result<Directory> parse(Bytes entries);

    [[nodiscard]] std::optional<File> find(std::string_view name) const;
    [[nodiscard]] std::size_t size() const { return entries_.size() / sizeof(DirectoryEntry); }

    constexpr Directory() = default;

  private:
    explicit constexpr Directory(Bytes entries) : entries_(entries) {}
    Bytes entries_;
};

} // namespace tdshim::fw_cfg
