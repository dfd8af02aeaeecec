// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/efi/handover.hpp"

#include <algorithm>
#include <array>

#include "shim/formats/efi/wire.hpp"

namespace tdshim::efi {
namespace {

constexpr std::uint64_t unit = large_page_size;
constexpr std::array<le16, 7> vendor{'t', 'd', 's', 'h', 'i', 'm', 0};
constexpr std::size_t max_descriptors = 256;

// The tables' order in the area; each starts on a multiple of 8.
constexpr std::size_t configuration_at = sizeof(SystemTable);
constexpr std::size_t vendor_at = configuration_at + sizeof(ConfigurationTable);
constexpr std::size_t map_at = vendor_at + 16;
constexpr std::size_t unaccepted_at = map_at + max_descriptors * sizeof(MemoryDescriptor);
constexpr std::size_t bitmap_at = unaccepted_at + sizeof(UnacceptedMemory);
static_assert(sizeof(vendor) <= 16 && sizeof(MemoryDescriptor) == memory_descriptor_size);

/// A whole number of 64-bit words, in which Linux reads the bitmap.
std::uint64_t bitmap_size(std::span<const GpaRange> unaccepted) {
    const std::uint64_t units =
        (unaccepted.back().end().value - unaccepted.front().start().value) / unit;
    return (units + 63) / 64 * 8;
}

MemoryType type_of(e820::Type type) {
    switch (type) {
    case e820::Type::memory: return MemoryType::conventional;
    case e820::Type::acpi: return MemoryType::acpi_reclaim;
    case e820::Type::nvs: return MemoryType::acpi_nvs;
    case e820::Type::reserved:
    case e820::Type::unaccepted:
    case e820::Type::unusable: break;
    }
    return MemoryType::reserved;
}

MemoryDescriptor descriptor(MemoryType type, const GpaRange& range) {
    return {.type = static_cast<std::uint32_t>(type),
            .padding = 0,
            .start = range.start().value,
            .virtual_start = 0,
            .pages = range.size() / page_size,
            .attributes = attribute_write_back};
}

template <Wire T>
void put(MutableBytes area, std::size_t offset, const T& value) {
    std::ranges::copy(bytes_of(value), area.subspan(offset).begin());
}

void fill_bitmap(MutableBytes bitmap, std::span<const GpaRange> unaccepted) {
    const std::uint64_t base = unaccepted.front().start().value;
    for (const GpaRange& range : unaccepted)
        for (std::uint64_t at = range.start().value; at < range.end().value; at += unit) {
            const std::uint64_t bit = (at - base) / unit;
            bitmap[bit / 8] |= std::byte{1} << static_cast<int>(bit % 8);
        }
}

} // namespace

std::uint64_t handover_size(std::span<const GpaRange> unaccepted) {
    return bitmap_at + bitmap_size(unaccepted);
}

Result<Handover> write_handover(MutableBytes area, Gpa place, const e820::Table& memory,
                                std::span<const GpaRange> unaccepted) {
    Writer map(area.subspan(map_at, max_descriptors * sizeof(MemoryDescriptor)));
    bool fits = true;
    for (const e820::Entry& entry : memory)
        fits = fits && map.put(descriptor(type_of(entry.type), entry.range));
    for (const GpaRange& range : unaccepted)
        fits = fits && map.put(descriptor(MemoryType::unaccepted, range));
    if (!fits)
        return refuse(Fault::too_many_entries, 0, max_descriptors,
                      memory.size() + unaccepted.size());

    put(area, 0,
        SystemTable{.signature = system_table_signature,
                    .revision = revision_2_100,
                    .header_size = sizeof(SystemTable),
                    .crc32 = 0,
                    .reserved = 0,
                    .firmware_vendor = place.value + vendor_at,
                    .firmware_revision = 0,
                    .padding = 0,
                    .consoles = {},
                    .runtime_services = 0,
                    .boot_services = 0,
                    .table_count = 1,
                    .configuration_table = place.value + configuration_at});
    put(area, configuration_at,
        ConfigurationTable{unaccepted_memory_guid, place.value + unaccepted_at});
    put(area, vendor_at, vendor);
    const std::uint64_t size = bitmap_size(unaccepted);
    put(area, unaccepted_at,
        UnacceptedMemory{.version = 1,
                         .unit_size = unit,
                         .start = unaccepted.front().start().value,
                         .bitmap_size = size});
    fill_bitmap(area.subspan(bitmap_at, size), unaccepted);
    return Handover{.system_table = place,
                    .memory_map = {place.value + map_at},
                    .memory_map_size = static_cast<std::uint32_t>(map.size())};
}

} // namespace tdshim::efi
