// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/efi/handover.hpp"

#include <algorithm>
#include <array>

#include "shim/base/checked.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/formats/efi/wire.hpp"
#include "shim/formats/smbios/tables.hpp"

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
constexpr std::size_t max_tables = 5;
constexpr std::size_t vendor_at = configuration_at + max_tables * sizeof(ConfigurationTable);
constexpr std::size_t properties_at = vendor_at + 16;
constexpr std::size_t attributes_at = properties_at + sizeof(RuntimeProperties);
static_assert(attributes_at + sizeof(MemoryAttributes) + 2 * sizeof(MemoryDescriptor) <=
              runtime_size);
// Behind it; each table in the area starts on a multiple of 8, the log on a page: so QEMU's monitor
// finds it too, where it may read the memory (query-firmware-log).
constexpr std::size_t map_at = runtime_size;
constexpr std::size_t smbios_at = map_at + max_descriptors * sizeof(MemoryDescriptor);
constexpr std::size_t debug_log_at = *align_up(smbios_at + sizeof(smbios::EntryPoint), page_size);
constexpr std::size_t unaccepted_at = debug_log_at + sizeof(DebugLog) + debug_log_room;
constexpr std::size_t bitmap_at = unaccepted_at + sizeof(UnacceptedMemory);
static_assert(sizeof(vendor) <= 16 && sizeof(MemoryDescriptor) == memory_descriptor_size);

/// A whole number of 64-bit words, in which Linux reads the bitmap.
std::uint64_t bitmap_size(std::span<const GpaRange> unaccepted) {
    if (unaccepted.empty())
        return 0;
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

Result<std::uint32_t> write_memory_map(MutableBytes area, Gpa place, const Contents& contents) {
    Writer map(area.subspan(map_at, max_descriptors * sizeof(MemoryDescriptor)));
    bool fits = true;
    for (const MemoryDescriptor& runtime : runtime_descriptors(place, false))
        fits = fits && map.put(runtime);
    for (const e820::Entry& entry : contents.memory)
        fits = fits && map.put(descriptor(type_of(entry.type), entry.range));
    for (const GpaRange& range : contents.unaccepted)
        fits = fits && map.put(descriptor(MemoryType::unaccepted, range));
    if (!fits)
        return refuse(Fault::too_many_entries, 0, max_descriptors,
                      runtime_descriptors(place, false).size() + contents.memory.size() +
                          contents.unaccepted.size());
    return static_cast<std::uint32_t>(map.size());
}

/// Returns how many there are.
std::size_t write_configuration_tables(MutableBytes area, Gpa place, const Contents& contents) {
    StaticVector<ConfigurationTable, max_tables> tables;
    const auto add = [&](const Guid& guid, std::size_t offset) {
        static_cast<void>(tables.push({guid, place.value + offset}));
    };
    if (!contents.unaccepted.empty())
        add(unaccepted_memory_guid, unaccepted_at);
    add(runtime_properties_guid, properties_at);
    add(memory_attributes_guid, attributes_at);
    add(debug_log_guid, debug_log_at);
    if (contents.smbios) {
        add(smbios3_guid, smbios_at);
        put(area, smbios_at,
            smbios::entry_point(contents.smbios->start(),
                                static_cast<std::uint32_t>(contents.smbios->size())));
    }
    for (std::size_t i = 0; i < tables.size(); ++i)
        put(area, configuration_at + i * sizeof(ConfigurationTable), tables[i]);
    return tables.size();
}

void write_system_table(MutableBytes area, Gpa place, std::size_t table_count) {
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
    if (unaccepted.empty())
        return;
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

Result<Handover> write_handover(MutableBytes area, Gpa place, const Contents& contents) {
    const std::uint32_t map_size = TRY(write_memory_map(area, place, contents));
    write_runtime(area, place);
    write_system_table(area, place, write_configuration_tables(area, place, contents));
    write_runtime_tables(area, place);
    write_debug_log(area.subspan(debug_log_at), {}, {}, 0);
    write_unaccepted(area, contents.unaccepted);
    return Handover{.system_table = {place.value + system_at},
                    .memory_map = {place.value + map_at},
                    .memory_map_size = map_size,
                    .debug_log = GpaRange::between({place.value + debug_log_at},
                                                   {place.value + unaccepted_at})};
}

void write_debug_log(MutableBytes area, std::string_view version, std::string_view text,
                     std::uint64_t lost) {
    const std::string_view kept = text.substr(0, debug_log_room);
    DebugLog log{.magic_1 = debug_log_magic_1,
                 .magic_2 = debug_log_magic_2,
                 .header_size = sizeof(DebugLog),
                 .room = debug_log_room,
                 .lock = 0,
                 .begin = 0,
                 .end = kept.size(),
                 .lost = lost + text.size() - kept.size(),
                 .version = {}};
    std::ranges::copy(version.substr(0, log.version.size() - 1), log.version.begin());
    put(area, 0, log);
    std::ranges::copy(bytes_of(kept), area.subspan(sizeof(log)).begin());
}

} // namespace tdshim::efi
