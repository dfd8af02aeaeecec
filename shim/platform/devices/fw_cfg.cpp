// SPDX-License-Identifier: Apache-2.0
//
// fw_cfg by I/O ports and, where the device offers it, by DMA [QEMU docs/specs/fw_cfg.rst].
#include <algorithm>
#include <bit>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/formats/fw_cfg/wire.hpp"
#include "shim/platform/devices/ports.hpp"
#include "shim/platform/platform.hpp"
#include "shim/platform/td/td.hpp"

namespace tdshim::platform {
namespace {

constexpr std::uint16_t selector_port = 0x510;
constexpr std::uint16_t data_port = 0x511;
// Address of what to do, high half, which is zero where nobody wrote it since the last transfer
// [QEMU hw/nvram/fw_cfg.c, fw_cfg_dma_transfer; SeaBIOS never writes it, src/fw/paravirt.c]; low
// half 4 bytes on, which starts it.
constexpr std::uint16_t dma_port = 0x514;

constexpr std::uint32_t signature_value = 0x554D4551; // "QEMU"

// DMA lengths have 32 bits; larger pieces than this serve no purpose.
constexpr std::size_t max_transfer = 1 * GiB;

constinit bool has_dma = false;
constinit fw_cfg::DmaControl private_control{};

/// Where the device finds its orders and, in a TD, the bytes.
struct Channel {
    fw_cfg::DmaControl* control;
    MutableBytes bounce; ///< empty: the device reaches every place itself
};

Result<Channel> open_channel() {
    if (!td::active())
        return Channel{&private_control, {}};
    const MutableBytes window = TRY(td::open_shared_window());
    return Channel{reinterpret_cast<fw_cfg::DmaControl*>(window.data()), window.subspan(page_size)};
}

/// Performs one DMA operation; the device clears the control word but for the error bit.
Result<void> transfer(const Channel& channel, std::uint32_t operation, const void* address,
                      std::size_t length) {
    *channel.control = {operation, static_cast<std::uint32_t>(length),
                        reinterpret_cast<std::uint64_t>(address)};
    const auto where = reinterpret_cast<std::uint64_t>(channel.control);
    asm volatile("" : : : "memory");
    if (const auto high = static_cast<std::uint32_t>(where >> 32); high != 0)
        devices::out32(dma_port, std::byteswap(high));
    devices::out32(dma_port + 4, std::byteswap(static_cast<std::uint32_t>(where)));
    asm volatile("" : : : "memory");
    // QEMU finishes the transfer before the port write returns.
    const std::uint32_t left = channel.control->control;
    if (left != 0)
        return refuse(Fault::fw_cfg_transfer, 0, 0, left);
    return {};
}

Result<void> read_piece(const Channel& channel, MutableBytes destination) {
    if (channel.bounce.empty())
        return transfer(channel, fw_cfg::dma_read, destination.data(), destination.size());
    TRY(transfer(channel, fw_cfg::dma_read, channel.bounce.data(), destination.size()));
    std::ranges::copy(channel.bounce.first(destination.size()), destination.begin());
    return {};
}

template <Wire T>
T read_item(fw_cfg::Selector selector) {
    T value{};
    select_fw_cfg(selector);
    devices::in8_repeated(data_port, std::as_writable_bytes(std::span(&value, 1)));
    return value;
}

} // namespace

Result<void> open_fw_cfg() {
    const std::uint32_t found = read_item<le32>(fw_cfg::signature);
    if (found != signature_value)
        return refuse(Fault::fw_cfg_absent, 0, signature_value, found);
    has_dma = (read_item<le32>(fw_cfg::features) & fw_cfg::feature_dma) != 0;
    return {};
}

void select_fw_cfg(fw_cfg::Selector selector) {
    devices::out16(selector_port, selector);
}

Result<void> read_fw_cfg(MutableBytes destination) {
    if (!has_dma) {
        devices::in8_repeated(data_port, destination);
        return {};
    }
    const Channel channel = TRY(open_channel());
    const std::size_t limit = channel.bounce.empty() ? max_transfer : channel.bounce.size();
    while (!destination.empty()) {
        const std::size_t length = std::min(destination.size(), limit);
        TRY(read_piece(channel, destination.first(length)));
        destination = destination.subspan(length);
    }
    return {};
}

Result<void> write_fw_cfg(fw_cfg::Selector selector, std::uint32_t offset, Bytes bytes) {
    if (!has_dma) // ports cannot write
        return refuse(Fault::fw_cfg_transfer);
    const Channel channel = TRY(open_channel());
    const void* source = bytes.data();
    if (!channel.bounce.empty()) {
        if (bytes.size() > channel.bounce.size())
            return refuse(Fault::fw_cfg_transfer, 0, channel.bounce.size(), bytes.size());
        std::ranges::copy(bytes, channel.bounce.begin());
        source = channel.bounce.data();
    }
    const std::uint32_t select = std::uint32_t{selector} << 16 | fw_cfg::dma_select;
    TRY(transfer(channel, select | fw_cfg::dma_skip, nullptr, offset));
    return transfer(channel, fw_cfg::dma_write, source, bytes.size());
}

} // namespace tdshim::platform
