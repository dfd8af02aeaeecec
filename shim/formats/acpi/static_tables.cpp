// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/acpi/static_tables.hpp"

#include <array>
#include <initializer_list>

#include "shim/formats/q35/chipset.hpp"

namespace tdshim::acpi {
namespace {

namespace q35 = devices::q35;

// Ports of the power management, from where the shim put them [Intel ICH9 datasheet, 13.8.3].
constexpr std::uint32_t pm1_event = q35::pm_ports;
constexpr std::uint32_t pm1_control = q35::pm_ports + 4;
constexpr std::uint32_t pm_timer = q35::pm_ports + 8;
constexpr std::uint32_t gpe0 = q35::pm_ports + 0x20;
constexpr std::uint8_t gpe0_size = 16;
constexpr std::uint8_t sci = 9;
constexpr std::uint16_t reset_port = 0xCF9;
constexpr std::uint8_t reset_value = 0x0F;
constexpr std::uint8_t century_in_cmos = 0x32;
constexpr std::uint16_t has_legacy_devices = 1;
// WBINVD works, C1 exists, buttons are not fixed hardware, the reset register exists.
constexpr std::uint32_t fadt_flags = 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 10;
constexpr std::uint16_t no_c2 = 0xFFF;
constexpr std::uint16_t no_c3 = 0xFFF;

constexpr std::uint32_t io_apic = 0xFEC0'0000;
constexpr std::uint32_t local_apic = 0xFEE0'0000;
constexpr std::uint32_t first_x2apic_id = 255;
constexpr std::uint32_t is_enabled = 1;
constexpr std::uint32_t has_8259 = 1;
constexpr std::uint16_t level_active_high = 0xD;

constexpr std::uint32_t ecam_size = 256 * MiB;
// PCI devices get addresses between ECAM and the I/O APIC.
constexpr std::uint32_t pci_window = q35::ecam_base + ecam_size;
// Large ones (GPUs have 128 GiB and more) get them above all memory that a machine has, and below
// what 46 bits express: so many have the processors that run TDs. To Linux on one with fewer the
// window is none.
constexpr std::uint64_t pci_window_64 = std::uint64_t{1} << 45;
constexpr std::uint64_t pci_window_64_end = std::uint64_t{1} << 46;
constexpr unsigned writable = 1;
constexpr unsigned cacheable = 1 << 1;

/// AML, put together when the firmware is compiled [ACPI 6.5, 20.2].
class Aml {
  public:
    constexpr void put(std::initializer_list<unsigned> bytes) {
        for (const unsigned byte : bytes)
            bytes_[size_++] = static_cast<std::byte>(byte);
    }
    constexpr void text(std::string_view text) {
        for (const char c : text)
            bytes_[size_++] = static_cast<std::byte>(c);
    }
    constexpr void number(std::uint64_t value, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i)
            bytes_[size_++] = static_cast<std::byte>(value >> (8 * i));
    }
    /// A package length of two bytes, to be closed behind what it covers, itself among it.
    constexpr std::size_t open() {
        size_ += 2;
        return size_ - 2;
    }
    constexpr void close(std::size_t at) {
        const std::size_t length = size_ - at;
        bytes_[at] = static_cast<std::byte>(0x40 | (length & 0xF));
        bytes_[at + 1] = static_cast<std::byte>(length >> 4);
    }
    /// Name (NAME, ...): the object follows.
    constexpr void name(std::string_view four_letters) {
        put({0x08});
        text(four_letters);
    }
    /// Name (NAME, EisaId ("PNP....")), by the ID's last four digits.
    constexpr void pnp_id(std::string_view four_letters, unsigned digits) {
        name(four_letters);
        put({0x0C, 0x41, 0xD0, digits >> 8, digits & 0xFF});
    }
    /// Name (_CRS, Buffer () {...}): returns what to close with.
    struct Buffer {
        std::size_t length;
        std::size_t size;
    };
    constexpr Buffer open_resources() {
        name("_CRS");
        put({0x11});
        const std::size_t length = open();
        put({0x0B});
        size_ += 2;
        return {length, size_ - 2};
    }
    constexpr void close_resources(const Buffer& buffer) {
        put({0x79, 0x00}); // end tag, no checksum
        const std::size_t size = size_ - buffer.size - 2;
        bytes_[buffer.size] = static_cast<std::byte>(size);
        bytes_[buffer.size + 1] = static_cast<std::byte>(size >> 8);
        close(buffer.length);
    }
    /// A range that the bridge decodes, with both ends fixed [ACPI 6.5, 6.4.3.5].
    enum class Kind : std::uint8_t { memory = 0, io = 1, bus = 2 };
    constexpr void range(Kind kind, unsigned flags, std::uint64_t first, std::uint64_t last) {
        const std::size_t size = last >= 4 * GiB ? 8 : kind == Kind::memory ? 4 : 2;
        put({size == 8 ? 0x8AU : size == 4 ? 0x87U : 0x88U});
        number(3 + 5 * size, 2);
        put({static_cast<unsigned>(kind), 0x0C, flags});
        for (const std::uint64_t value :
             {std::uint64_t{0}, first, last, std::uint64_t{0}, last - first + 1})
            number(value, size);
    }

    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] constexpr Bytes bytes() const { return Bytes(bytes_).first(size_); }

  private:
    std::array<std::byte, 384> bytes_{};
    std::size_t size_ = 0;
};

consteval Aml description() {
    Aml aml;
    // Soft off is sleep type 0: Name (_S5, Package () {0, 0, 0, 0})
    aml.name("_S5_");
    aml.put({0x12});
    const std::size_t package = aml.open();
    aml.put({4, 0, 0, 0, 0});
    aml.close(package);

    aml.put({0x10}); // Scope (\_SB)
    const std::size_t scope = aml.open();
    aml.text("\\_SB_");

    aml.put({0x5B, 0x82}); // Device (PCI0), a PCI Express host bridge, compatible with PCI
    const std::size_t bridge = aml.open();
    aml.text("PCI0");
    aml.pnp_id("_HID", 0x0A08);
    aml.pnp_id("_CID", 0x0A03);
    aml.name("_UID");
    aml.put({0});
    aml.name("_BBN");
    aml.put({0});
    const Aml::Buffer windows = aml.open_resources();
    aml.range(Aml::Kind::bus, 0, 0, 0xFF);
    aml.put({0x47, 0x01, 0xF8, 0x0C, 0xF8, 0x0C, 0x01, 0x08}); // ports 0xCF8 to 0xCFF
    aml.range(Aml::Kind::io, 3, 0, 0xCF7);
    aml.range(Aml::Kind::io, 3, 0xD00, 0xFFFF);
    aml.range(Aml::Kind::memory, writable, pci_window, io_apic - 1);
    aml.range(Aml::Kind::memory, writable | cacheable, pci_window_64, pci_window_64_end - 1);
    aml.close_resources(windows);
    aml.close(bridge);

    aml.put({0x5B, 0x82}); // Device (ECAM), a motherboard resource: nobody else may use it
    const std::size_t ecam = aml.open();
    aml.text("ECAM");
    aml.pnp_id("_HID", 0x0C02);
    const Aml::Buffer place = aml.open_resources();
    aml.put({0x86, 0x09, 0x00, 0x01}); // Memory32Fixed (ReadWrite, ...)
    aml.number(q35::ecam_base, 4);
    aml.number(ecam_size, 4);
    aml.close_resources(place);
    aml.close(ecam);
    aml.close(scope);
    return aml;
}

constexpr Aml aml = description();
constexpr std::size_t dsdt_size = sizeof(TableHeader) + aml.size();

// Places in the area; FACS wants 64 bytes of alignment, tables are on 16.
constexpr std::size_t facs_offset = 0;
constexpr std::size_t dsdt_offset = sizeof(Facs);
constexpr std::size_t fadt_offset = *align_up(dsdt_offset + dsdt_size, 16);
constexpr std::size_t mcfg_offset = *align_up(fadt_offset + sizeof(Fadt), 16);
constexpr std::size_t madt_offset = *align_up(mcfg_offset + sizeof(Mcfg), 16);

template <Wire T>
void put_table(MutableBytes area, std::size_t offset, const T& table) {
    std::ranges::copy(bytes_of(table), area.subspan(offset).begin());
    set_checksum(area.subspan(offset, sizeof(T)));
}

Fadt fadt(Gpa place) {
    Fadt table{};
    table.header = own_header({'F', 'A', 'C', 'P'}, sizeof(Fadt), 3);
    table.facs = static_cast<std::uint32_t>(place.value + facs_offset);
    table.dsdt = static_cast<std::uint32_t>(place.value + dsdt_offset);
    table.sci = sci;
    table.pm1a_event = pm1_event;
    table.pm1a_control = pm1_control;
    table.pm_timer = pm_timer;
    table.gpe0 = gpe0;
    table.pm1_event_length = 4;
    table.pm1_control_length = 2;
    table.pm_timer_length = 4;
    table.gpe0_length = gpe0_size;
    table.c2_latency = no_c2;
    table.c3_latency = no_c3;
    table.century = century_in_cmos;
    table.boot_flags = has_legacy_devices;
    table.flags = fadt_flags;
    table.reset = {.space = 1, .bits = 8, .bit_offset = 0, .access = 1, .address = reset_port};
    table.reset_value = reset_value;
    return table;
}

bool put_processors(Writer& writer, std::uint32_t processors) {
    bool fits = true;
    for (std::uint32_t id = 0; id < processors; ++id)
        fits =
            fits &&
            (id < first_x2apic_id
                 ? writer.put(MadtLocalApic{{madt_local_apic_type, sizeof(MadtLocalApic)},
                                            static_cast<std::uint8_t>(id),
                                            static_cast<std::uint8_t>(id),
                                            is_enabled})
                 : writer.put(MadtLocalX2Apic{
                       {madt_local_x2apic_type, sizeof(MadtLocalX2Apic)}, 0, id, is_enabled, id}));
    return fits;
}

} // namespace

std::size_t own_dsdt_size() {
    return dsdt_size;
}

void write_dsdt(MutableBytes table) {
    Writer writer(table);
    static_cast<void>(writer.put(own_header({'D', 'S', 'D', 'T'}, dsdt_size, 2)) &&
                      writer.put(aml.bytes()));
    set_checksum(table);
}

std::size_t madt_size(std::uint32_t processors) {
    const std::uint32_t small = processors < first_x2apic_id ? processors : first_x2apic_id;
    return sizeof(MadtHeader) + small * sizeof(MadtLocalApic) +
           (processors - small) * sizeof(MadtLocalX2Apic) + sizeof(MadtIoApic) +
           2 * sizeof(MadtOverride);
}

void write_madt(MutableBytes table, std::uint32_t processors) {
    constexpr MadtStructure override_head{madt_override_type, sizeof(MadtOverride)};
    Writer writer(table);
    static_cast<void>(
        writer.put(
            MadtHeader{own_header({'A', 'P', 'I', 'C'}, table.size(), 3), local_apic, has_8259}) &&
        put_processors(writer, processors) &&
        writer.put(MadtIoApic{{madt_io_apic_type, sizeof(MadtIoApic)}, 0, 0, io_apic, 0}) &&
        writer.put(MadtOverride{override_head, 0, 0, 2, 0}) && // the timer
        writer.put(MadtOverride{override_head, 0, sci, sci, level_active_high}));
    set_checksum(table);
}

std::size_t static_tables_size(std::uint32_t processors) {
    return madt_offset + madt_size(processors);
}

Result<StaticTables> write_static_tables(MutableBytes area, Gpa place, std::uint32_t processors) {
    if (processors == 0 || processors > max_processors)
        return refuse(Fault::too_many_entries, 0, max_processors, processors);
    if (area.size() < static_tables_size(processors))
        return refuse(Fault::acpi_length, place.value, static_tables_size(processors), area.size());
    write_facs(area.subspan(facs_offset));
    write_dsdt(area.subspan(dsdt_offset, dsdt_size));
    put_table(area, fadt_offset, fadt(place));
    put_table(area, mcfg_offset,
              Mcfg{.header = own_header({'M', 'C', 'F', 'G'}, sizeof(Mcfg)),
                   .reserved = 0,
                   .base = q35::ecam_base,
                   .segment = 0,
                   .first_bus = 0,
                   .last_bus = 0xFF,
                   .reserved_56 = 0});
    const MutableBytes madt = area.subspan(madt_offset, madt_size(processors));
    write_madt(madt, processors);
    StaticTables tables{.listed = {}, .madt = madt, .dsdt = {place.value + dsdt_offset}};
    static_cast<void>(tables.listed.push({place.value + fadt_offset}) &&
                      tables.listed.push({place.value + mcfg_offset}));
    return tables;
}

} // namespace tdshim::acpi
