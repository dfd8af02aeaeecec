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

// Of the runtime's page of data the services have the start. Linux looks at the system table, and
// at what is beside it here, with EFI's page tables too, in which only memory for run time is
// mapped [Linux arch/x86/platform/efi/efi_64.c, efi_set_virtual_address_map].
constexpr std::size_t system_at = page_size + sizeof(RuntimeServices);
constexpr std::size_t configuration_at = system_at + sizeof(SystemTable);
constexpr std::size_t table_count = 3;
constexpr std::size_t vendor_at = configuration_at + table_count * sizeof(ConfigurationTable);
constexpr std::size_t properties_at = vendor_at + 16;
constexpr std::size_t attributes_at = properties_at + sizeof(RuntimeProperties);
static_assert(attributes_at + sizeof(MemoryAttributes) + 2 * sizeof(MemoryDescriptor) <=
              runtime_size);
// Behind it; each table in the area starts on a multiple of 8.
constexpr std::size_t map_at = runtime_size;
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

Result<std::uint32_t> write_memory_map(MutableBytes area, Gpa place, const e820::Table& memory,
                                       std::span<const GpaRange> unaccepted) {
    Writer map(area.subspan(map_at, max_descriptors * sizeof(MemoryDescriptor)));
    bool fits = true;
    for (const MemoryDescriptor& runtime : runtime_descriptors(place, false))
        fits = fits && map.put(runtime);
    for (const e820::Entry& entry : memory)
        fits = fits && map.put(descriptor(type_of(entry.type), entry.range));
    for (const GpaRange& range : unaccepted)
        fits = fits && map.put(descriptor(MemoryType::unaccepted, range));
    if (!fits)
        return refuse(Fault::too_many_entries, 0, max_descriptors,
                      runtime_descriptors(place, false).size() + memory.size() + unaccepted.size());
    return static_cast<std::uint32_t>(map.size());
}

void write_system_table(MutableBytes area, Gpa place) {
    put(area, system_at,
        SystemTable{.signature = system_table_signature,
                    .revision = revision_2_100,
                    .header_size = sizeof(SystemTable),
                    .crc32 = 0,
                    .reserved = 0,
                    .firmware_vendor = place.value + vendor_at,
                    .firmware_revision = 0,
                    .padding = 0,
                    .consoles = {},
                    .runtime_services = runtime_services(place).value,
                    .boot_services = 0,
                    .table_count = table_count,
                    .configuration_table = place.value + configuration_at});
    put(area, vendor_at, vendor);
    put(area, configuration_at,
        std::array<ConfigurationTable, table_count>{
            {{unaccepted_memory_guid, place.value + unaccepted_at},
             {runtime_properties_guid, place.value + properties_at},
             {memory_attributes_guid, place.value + attributes_at}}});
}

/// That none of the services does anything, and which page is code.
void write_runtime_tables(MutableBytes area, Gpa place) {
    const auto descriptors = runtime_descriptors(place, true);
    put(area, properties_at,
        RuntimeProperties{.version = 1, .length = sizeof(RuntimeProperties), .supported = 0});
    put(area, attributes_at,
        MemoryAttributes{.version = 1,
                         .count = descriptors.size(),
                         .descriptor_size = sizeof(MemoryDescriptor),
                         .reserved = 0});
    put(area, attributes_at + sizeof(MemoryAttributes), descriptors);
}

void write_unaccepted(MutableBytes area, std::span<const GpaRange> unaccepted) {
    const std::uint64_t size = bitmap_size(unaccepted);
    put(area, unaccepted_at,
        UnacceptedMemory{.version = 1,
                         .unit_size = unit,
                         .start = unaccepted.front().start().value,
                         .bitmap_size = size});
    fill_bitmap(area.subspan(bitmap_at, size), unaccepted);
}

} // namespace

std::uint64_t handover_size(std::span<const GpaRange> unaccepted) {
    return bitmap_at + bitmap_size(unaccepted);
}

Result<Handover> write_handover(MutableBytes area, Gpa place, const e820::Table& memory,
                                std::span<const GpaRange> unaccepted) {
    const std::uint32_t map_size = TRY(write_memory_map(area, place, memory, unaccepted));
    write_runtime(area, place);
    write_system_table(area, place);
    write_runtime_tables(area, place);
    write_unaccepted(area, unaccepted);
    return Handover{.system_table = {place.value + system_at},
                    .memory_map = {place.value + map_at},
                    .memory_map_size = map_size};
}

} // namespace tdshim::efi
