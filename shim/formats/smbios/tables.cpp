// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/smbios/tables.hpp"

#include <algorithm>

namespace tdshim::smbios {
namespace {

constexpr std::uint8_t end_of_table = 127;

struct StructureHeader {
    std::uint8_t type;   // 0
    std::uint8_t length; // 1: of the formatted area, this header with it
    le16 handle;         // 2
};
static_assert(sizeof(StructureHeader) == 4);

/// Where the strings end that begin at `at`: behind two NULs, which stand there even without any.
Result<std::size_t> end_of_strings(Bytes tables, std::size_t at) {
    constexpr std::array<std::byte, 2> two_nuls{};
    const auto strings = part_of(tables, at, tables.size() - at);
    if (!strings)
        return refuse(Fault::truncated, at);
    const auto end = std::ranges::search(*strings, two_nuls);
    if (end.empty())
        return refuse(Fault::smbios_strings, at);
    return static_cast<std::size_t>(end.end() - tables.begin());
}

} // namespace

Result<void> check_size(std::uint64_t size) {
    if (size == 0 || size > max_size)
        return refuse(Fault::fw_cfg_item_size, 0, max_size, size);
    return {};
}

Result<std::size_t> check_tables(Bytes tables) {
    std::size_t count = 0;
    std::size_t at = 0;
    bool has_ended = false;
    while (at < tables.size()) {
        if (has_ended)
            return refuse(Fault::smbios_end, at);
        const auto header = TRY(read_at<StructureHeader>(tables, at));
        if (header.length < sizeof(header) || header.length > tables.size() - at)
            return refuse(Fault::smbios_length, at, tables.size() - at, header.length);
        at = TRY(end_of_strings(tables, at + header.length));
        has_ended = header.type == end_of_table;
        ++count;
    }
    if (!has_ended)
        return refuse(Fault::smbios_end, at);
    return count;
}

EntryPoint entry_point(Gpa place, std::uint32_t size) {
    EntryPoint entry{.anchor = {'_', 'S', 'M', '3', '_'},
                     .checksum = 0,
                     .length = sizeof(EntryPoint),
                     .major = 3,
                     .minor = 0,
                     .revision = 0,
                     .entry_revision = 1,
                     .reserved = 0,
                     .tables_size = size,
                     .tables = place.value};
    std::uint8_t sum = 0;
    for (const std::byte byte : bytes_of(entry))
        sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
    entry.checksum = static_cast<std::uint8_t>(-sum);
    return entry;
}

} // namespace tdshim::smbios
