// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/acpi/tables.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace tdshim::acpi {
namespace {

constexpr std::array<char, 8> rsdp_signature{'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '};
constexpr std::array<char, 4> ccel_signature{'C', 'C', 'E', 'L'};
constexpr std::array<char, 6> oem_id{'T', 'D', 'S', 'H', 'I', 'M'};
constexpr std::array<char, 8> oem_table_id{'T', 'D', 'S', 'H', 'I', 'M', ' ', ' '};
constexpr std::array<char, 4> creator_id{'T', 'D', 'S', 'H'};

constexpr std::array<std::string_view, 4> aml_signatures{"DSDT", "SSDT", "PSDT", "OSDT"};

std::uint8_t sum_of(Bytes bytes) {
    std::uint8_t sum = 0;
    for (const std::byte byte : bytes)
        sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
    return sum;
}

std::uint8_t checksum_of(Bytes bytes) {
    return static_cast<std::uint8_t>(0 - sum_of(bytes));
}

} // namespace

Result<Bytes> check_table(Bytes bytes, std::uint64_t at) {
    const auto header = read_at<TableHeader>(bytes, 0);
    if (!header)
        return refuse(Fault::acpi_address, at, sizeof(TableHeader), bytes.size());
    const auto table = part_of(bytes, 0, header->length);
    if (!table || table->size() < sizeof(TableHeader))
        return refuse(Fault::acpi_length, at, bytes.size(), header->length);
    if (sum_of(*table) != 0)
        return refuse(Fault::acpi_checksum, at, 0, sum_of(*table));
    // Linux takes the first CCEL that it finds, so there must be none but ours.
    if (header->signature == ccel_signature)
        return refuse(Fault::acpi_event_log, at);
    return *table;
}

Result<Bytes> check_hob_table(Bytes data, std::uint64_t index) {
    constexpr std::uint64_t hob_alignment = 8; // [UEFI PI 1.8, volume 3, 4.5]
    const Bytes table = TRY(check_table(data, index));
    if (data.size() - table.size() >= hob_alignment)
        return refuse(Fault::acpi_length, index, data.size(), table.size());
    return table;
}

Result<Bytes> table_at(Gpa address, const LoadedFiles& files) {
    return check_table(files.from(address), address.value);
}

bool has_signature(Bytes table, std::string_view signature) {
    const auto header = read_at<TableHeader>(table, 0);
    return header && std::string_view(header->signature) == signature;
}

bool is_aml(Bytes table) {
    return std::ranges::any_of(aml_signatures, [&](std::string_view signature) {
        return has_signature(table, signature);
    });
}

Result<Gpa> dsdt_of(Bytes fadt) {
    const std::uint32_t low = TRY(read_at<le32>(fadt, offsetof(Fadt, dsdt)));
    const auto extended = read_at<le64>(fadt, fadt_extended_dsdt);
    return Gpa{extended && *extended != 0 ? std::uint64_t{*extended} : low};
}

bool has_event_registers(Bytes fadt) {
    const auto event = read_at<le32>(fadt, offsetof(Fadt, pm1a_event));
    const auto flags = read_at<le32>(fadt, offsetof(Fadt, flags));
    const auto extended =
        read_at<le64>(fadt, fadt_extended_pm1a_event + offsetof(GenericAddress, address));
    return (event && *event != 0) || (flags && (*flags & fadt_hardware_reduced) != 0) ||
           (extended && *extended != 0);
}

void write_facs(MutableBytes area) {
    Facs facs{};
    facs.signature = {'F', 'A', 'C', 'S'};
    facs.length = sizeof(Facs);
    facs.version = 1;
    std::ranges::copy(bytes_of(facs), area.begin());
}

Result<void> link_fadt(MutableBytes fadt, Gpa dsdt, Gpa facs) {
    if (fadt.size() < offsetof(Fadt, dsdt) + sizeof(le32))
        return refuse(Fault::acpi_length, 0, sizeof(Fadt), fadt.size());
    const auto put = [&](std::size_t offset, const auto& value) {
        if (offset + sizeof(value) <= fadt.size())
            std::ranges::copy(bytes_of(value), fadt.subspan(offset).begin());
        else if (offset < fadt.size()) // Linux takes the bytes that are there
            std::ranges::fill(fadt.subspan(offset), std::byte{0});
    };
    put(offsetof(Fadt, facs), le32{static_cast<std::uint32_t>(facs.value)});
    put(fadt_extended_facs, le64{0ULL}); // the 32-bit one holds
    put(offsetof(Fadt, dsdt), le32{static_cast<std::uint32_t>(dsdt.value)});
    put(fadt_extended_dsdt, le64{dsdt.value});
    fadt[offsetof(TableHeader, checksum)] = std::byte{0};
    set_checksum(fadt);
    return {};
}

namespace {

template <class Pointer>
Result<TableList> list_tables(Gpa root, std::string_view signature, const LoadedFiles& files) {
    const Bytes table = TRY(table_at(root, files));
    const auto header = TRY(read_at<TableHeader>(table, 0));
    if (std::string_view(header.signature.data(), header.signature.size()) != signature)
        return refuse(Fault::acpi_signature, root.value);
    TableList list;
    Reader entries(table.subspan(sizeof(TableHeader)));
    while (entries.left() >= sizeof(Pointer)) {
        const Gpa address{TRY(entries.template take<Pointer>())};
        TRY(table_at(address, files));
        if (!list.push(address))
            return refuse(Fault::too_many_entries, root.value, max_tables, max_tables + 1);
    }
    return list;
}

} // namespace

TableHeader own_header(std::array<char, 4> signature, std::size_t length, std::uint8_t revision) {
    return {.signature = signature,
            .length = static_cast<std::uint32_t>(length),
            .revision = revision,
            .checksum = 0,
            .oem_id = oem_id,
            .oem_table_id = oem_table_id,
            .oem_revision = 1,
            .creator_id = creator_id,
            .creator_revision = 1};
}

void set_checksum(MutableBytes table) {
    table[offsetof(TableHeader, checksum)] = std::byte{checksum_of(table)};
}

Result<TableList> find_tables(Bytes rsdp, const LoadedFiles& files) {
    if (rsdp.size() < rsdp_size_revision_0)
        return refuse(Fault::acpi_no_rsdp, 0, rsdp_size_revision_0, rsdp.size());
    Rsdp wire{};
    std::ranges::copy(rsdp.first(std::min(rsdp.size(), sizeof(Rsdp))),
                      std::as_writable_bytes(std::span(&wire, 1)).begin());
    if (wire.signature != rsdp_signature)
        return refuse(Fault::acpi_signature, 0);
    const bool is_extended = wire.revision >= 2;
    const auto all =
        part_of(rsdp, 0, is_extended ? std::uint64_t{wire.length} : rsdp_size_revision_0);
    if (!all || (is_extended && all->size() < sizeof(Rsdp)))
        return refuse(Fault::acpi_length, 20, rsdp.size(), wire.length);
    if (sum_of(rsdp.first(rsdp_size_revision_0)) != 0 || sum_of(*all) != 0)
        return refuse(Fault::acpi_checksum, 8);
    if (is_extended && wire.xsdt != 0)
        return list_tables<le64>({wire.xsdt}, "XSDT", files);
    return list_tables<le32>({wire.rsdt}, "RSDT", files);
}

std::size_t index_of(const TableList& tables, std::string_view signature,
                     const LoadedFiles& files) {
    const auto is_it = [&](Gpa address) { return has_signature(files.from(address), signature); };
    return static_cast<std::size_t>(std::ranges::find_if(tables, is_it) - tables.begin());
}

Result<void> add_wakeup_structure(Bytes madt, const Wakeup& wakeup, MutableBytes area) {
    Reader structures(madt);
    TRY(structures.take<MadtHeader>());
    while (structures.left() > 0) {
        const std::size_t at = structures.offset();
        const auto structure = TRY(structures.take<MadtStructure>());
        if (structure.length < sizeof(MadtStructure))
            return refuse(Fault::acpi_length, at, sizeof(MadtStructure), structure.length);
        if (structure.type == madt_wakeup_type)
            return refuse(Fault::acpi_mailbox, at);
        TRY(structures.take_bytes(structure.length - sizeof(MadtStructure)));
    }
    const MadtWakeupVersion1 added{
        .wakeup = {.structure = {madt_wakeup_type, sizeof(MadtWakeupVersion1)},
                   .version = 1,
                   .reserved = 0,
                   .mailbox = wakeup.mailbox.value},
        .reset_vector = wakeup.reset_vector.value};
    static_assert(sizeof(added) == wakeup_structure_size);
    Writer table(area);
    const bool fits = table.put(madt) && table.put(added);
    if (!fits)
        return refuse(Fault::acpi_length, 0, area.size(), madt.size() + sizeof(added));
    const MutableBytes written = area.first(table.size());
    const le32 length = static_cast<std::uint32_t>(table.size());
    std::ranges::copy(bytes_of(length), written.subspan(offsetof(TableHeader, length)).begin());
    written[offsetof(TableHeader, checksum)] = std::byte{0};
    set_checksum(written);
    return {};
}

Gpa write_root(MutableBytes area, Gpa place, const TableList& tables, const GpaRange& event_log) {
    static_assert(ccel_offset >= sizeof(Rsdp)); // tables stand on multiples of 8
    const std::size_t xsdt_offset = ccel_offset + sizeof(Ccel);
    const std::size_t xsdt_size = sizeof(TableHeader) + (tables.size() + 1) * sizeof(le64);

    const Ccel ccel{.header = own_header(ccel_signature, sizeof(Ccel)),
                    .type = ccel_type_tdx,
                    .subtype = 0,
                    .reserved = 0,
                    .log_length = event_log.size(),
                    .log_address = event_log.start().value};
    std::ranges::copy(bytes_of(ccel), area.subspan(ccel_offset).begin());
    set_checksum(area.subspan(ccel_offset, sizeof(Ccel)));

    Writer xsdt(area.subspan(xsdt_offset, xsdt_size));
    static_cast<void>(xsdt.put(own_header({'X', 'S', 'D', 'T'}, xsdt_size)));
    for (const Gpa table : tables)
        static_cast<void>(xsdt.put(le64{table.value}));
    static_cast<void>(xsdt.put(le64{place.value + ccel_offset}));
    set_checksum(area.subspan(xsdt_offset, xsdt_size));

    Rsdp rsdp{.signature = rsdp_signature,
              .checksum = 0,
              .oem_id = oem_id,
              .revision = 2,
              .rsdt = 0,
              .length = sizeof(Rsdp),
              .xsdt = place.value + xsdt_offset,
              .extended_checksum = 0,
              .reserved = {}};
    rsdp.checksum = checksum_of(bytes_of(rsdp).first(rsdp_size_revision_0));
    rsdp.extended_checksum = checksum_of(bytes_of(rsdp));
    std::ranges::copy(bytes_of(rsdp), area.begin());
    return place;
}

} // namespace tdshim::acpi
