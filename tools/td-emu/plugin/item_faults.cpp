// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/plugin/item_faults.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "shim/formats/fw_cfg/wire.hpp"

namespace tdshim::td_emu {
namespace {

constexpr std::uint16_t selector_port = 0x510;
constexpr std::uint16_t data_port = 0x511;
constexpr std::uint16_t dma_high_port = 0x514;
constexpr std::uint16_t dma_low_port = 0x518;
constexpr std::size_t max_transfer = std::size_t{1} << 30;

} // namespace

bool ItemFaults::is_selected(const ItemFault& fault) const {
    if (fault.key)
        return *fault.key == key_;
    for (std::size_t at = sizeof(be32); at + sizeof(fw_cfg::DirectoryEntry) <= directory_.size();
         at += sizeof(fw_cfg::DirectoryEntry)) {
        fw_cfg::DirectoryEntry entry{};
        std::memcpy(&entry, directory_.data() + at, sizeof(entry));
        const std::string_view name(entry.name.data(), entry.name.size());
        if (entry.select == key_ && name.substr(0, name.find('\0')) == fault.name)
            return true;
    }
    return false;
}

void ItemFaults::select(std::uint16_t key) {
    key_ = key;
    offset_ = 0;
    ++selections_[key];
}

/// The next bytes of the selected item.
void ItemFaults::arrive(MutableBytes bytes) {
    if (key_ == fw_cfg::directory && offset_ + bytes.size() <= max_transfer) {
        directory_.resize(std::max(directory_.size(), offset_ + bytes.size()));
        std::ranges::copy(bytes, directory_.begin() + static_cast<std::ptrdiff_t>(offset_));
    }
    for (const ItemFault& fault : faults_) {
        if (!is_selected(fault) || !fault.turn.has(selections_[key_]))
            continue;
        for (std::size_t i = 0; i < fault.bytes.size(); ++i)
            if (const std::uint64_t at = fault.offset + i - offset_; at < bytes.size())
                bytes[at] = fault.bytes[i];
    }
    offset_ += bytes.size();
}

void ItemFaults::before_write(std::uint16_t port, unsigned size, std::uint32_t value) {
    if (faults_.empty())
        return;
    const std::lock_guard lock(mutex_);
    if (port == selector_port && size == 2)
        select(static_cast<std::uint16_t>(value));
    if (port == dma_high_port)
        dma_high_ = std::byteswap(value);
    if (port != dma_low_port)
        return;
    fw_cfg::DmaControl control{};
    const std::uint64_t place = std::uint64_t{dma_high_} << 32 | std::byteswap(value);
    if (!memory_.read({place}, std::as_writable_bytes(std::span(&control, 1))))
        return;
    const std::uint32_t operation = control.control;
    if ((operation & fw_cfg::dma_select) != 0)
        select(static_cast<std::uint16_t>(operation >> 16));
    if ((operation & fw_cfg::dma_read) != 0) {
        dma_address_ = control.address;
        dma_length_ = std::min<std::size_t>(control.length, max_transfer);
    } else if ((operation & fw_cfg::dma_skip) != 0) {
        offset_ += control.length;
    }
}

void ItemFaults::after_write() {
    if (faults_.empty())
        return;
    const std::lock_guard lock(mutex_);
    std::vector<std::byte> bytes(std::exchange(dma_length_, 0));
    if (bytes.empty() || !memory_.read({dma_address_}, bytes))
        return;
    const std::vector<std::byte> before = bytes;
    arrive(bytes);
    if (bytes != before)
        static_cast<void>(memory_.write({dma_address_}, bytes));
}

std::uint32_t ItemFaults::after_read(std::uint16_t port, std::uint32_t value) {
    if (faults_.empty() || port != data_port)
        return value;
    const std::lock_guard lock(mutex_);
    std::array<std::byte, 1> byte{std::byte(value)};
    arrive(byte);
    return std::to_integer<std::uint32_t>(byte[0]);
}

} // namespace tdshim::td_emu
