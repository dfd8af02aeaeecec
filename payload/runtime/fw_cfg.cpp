// SPDX-License-Identifier: Apache-2.0
#include "payload/runtime/fw_cfg.hpp"

#include "payload/runtime/runtime.hpp"
#include "shim/formats/fw_cfg/directory.hpp"
#include "shim/platform/devices/ports.hpp"

namespace tdshim::runtime {
namespace {

constexpr std::uint16_t selector_port = 0x510;
constexpr std::uint16_t data_port = 0x511;
constexpr std::uint32_t signature_value = 0x554D4551; // "QEMU"

void select(fw_cfg::Selector selector) {
    devices::out16(selector_port, selector);
}

template <Wire T>
T read_next() {
    T value{};
    devices::in8_repeated(data_port, std::as_writable_bytes(std::span(&value, 1)));
    return value;
}

Result<Bytes> read_next(std::size_t size) {
    const MutableBytes bytes = TRY(allocate(size));
    devices::in8_repeated(data_port, bytes);
    return bytes;
}

Result<fw_cfg::Directory> read_directory() {
    select(fw_cfg::signature);
    if (const std::uint32_t found = read_next<le32>(); found != signature_value)
        return refuse(Fault::fw_cfg_absent, 0, signature_value, found);
    select(fw_cfg::directory);
    const std::uint32_t count = TRY(fw_cfg::Directory::count(read_next<be32>()));
    return fw_cfg::Directory::parse(TRY(read_next(count * sizeof(fw_cfg::DirectoryEntry))));
}

} // namespace

Result<Bytes> read_fw_cfg(std::string_view name, std::size_t most) {
    const fw_cfg::Directory directory = TRY(read_directory());
    const auto file = directory.find(name);
    if (!file)
        return refuse(Fault::fw_cfg_item_missing);
    if (file->size > most)
        return refuse(Fault::fw_cfg_item_size, 0, most, file->size);
    select(file->selector);
    return read_next(file->size);
}

} // namespace tdshim::runtime
