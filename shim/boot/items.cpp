// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/items.hpp"

#include <algorithm>
#include <array>

#include "shim/base/speculation.hpp"
#include "shim/platform/platform.hpp"

namespace tdshim::boot {
namespace {

constinit std::array<std::byte, fw_cfg::max_files * sizeof(fw_cfg::DirectoryEntry)> entries{};

} // namespace

Result<void> Items::open() {
    TRY(platform::open_fw_cfg());
    be32 announced;
    TRY(read(fw_cfg::directory, std::as_writable_bytes(std::span(&announced, 1))));
    const std::uint32_t count = TRY(fw_cfg::Directory::count(announced));
    const MutableBytes used = std::span(entries).first(count * sizeof(fw_cfg::DirectoryEntry));
    TRY(read_on(used));
    directory_ = TRY(fw_cfg::Directory::parse(used));
    return {};
}

Result<void> Items::read(fw_cfg::Selector selector, MutableBytes destination) {
    if (std::ranges::contains(taken_, selector))
        return refuse(Fault::fw_cfg_item_twice, 0, 0, selector);
    if (!taken_.push(selector))
        return refuse(Fault::too_many_entries, 0, taken_.capacity(), taken_.size() + 1);
    platform::select_fw_cfg(selector);
    return read_on(destination);
}

Result<void> Items::read_on(MutableBytes destination) {
    speculation_barrier(); // sizes of items are the VMM's; the callers checked this one
    bytes_read_ += destination.size();
    return destination.empty() ? Result<void>{} : platform::read_fw_cfg(destination);
}

Result<std::uint32_t> Items::number(fw_cfg::Selector selector) {
    const auto known = std::ranges::find(numbers_, selector, &Number::selector);
    if (known != numbers_.end())
        return known->value;
    le32 value;
    TRY(read(selector, std::as_writable_bytes(std::span(&value, 1))));
    if (!numbers_.push({selector, value}))
        return refuse(Fault::too_many_entries, 0, numbers_.capacity(), numbers_.size() + 1);
    return value;
}

} // namespace tdshim::boot
