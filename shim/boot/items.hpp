// SPDX-License-Identifier: Apache-2.0
//
// The VMM's inputs: items of fw_cfg, found in a directory that was copied and checked once, and
// read whole into private memory once each.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/fw_cfg/directory.hpp"

namespace tdshim::boot {

class Items {
  public:
    /// Reads the directory. There is one, so that one Items may exist.
    /// Errors: fw_cfg_absent, fw_cfg_transfer and those of fw_cfg::Directory.
    [[nodiscard]] Result<void> open();

    [[nodiscard]] std::optional<fw_cfg::File> find(std::string_view name) const {
        return directory_.find(name);
    }

    /// Fills `destination` from the start of an item, which may be done once: what the VMM would
    /// answer a second time need not be what was measured.
    /// Errors: fw_cfg_item_twice, too_many_entries, fw_cfg_transfer.
    [[nodiscard]] Result<void> read(fw_cfg::Selector selector, MutableBytes destination);

    /// The value of a legacy item that is a number; it is read once, however often it is asked for.
    /// Errors: as read().
    [[nodiscard]] Result<std::uint32_t> number(fw_cfg::Selector selector);

    [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }

  private:
    Result<void> read_on(MutableBytes destination);
    fw_cfg::Directory directory_;
    StaticVector<fw_cfg::Selector, 64> taken_;
    struct Number {
        fw_cfg::Selector selector = 0;
        std::uint32_t value = 0;
    };
    StaticVector<Number, 8> numbers_;
    std::uint64_t bytes_read_ = 0;
};

} // namespace tdshim::boot
