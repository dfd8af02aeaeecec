// SPDX-License-Identifier: Apache-2.0
//
// ACPI tables [ACPI 6.5, 5.2] and the commands of QEMU's table loader [QEMU
// hw/acpi/bios-linker-loader.c] as they stand in memory.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "shim/base/bytes.hpp"

namespace tdshim::acpi {

struct Rsdp {
    std::array<char, 8> signature;  // 0 "RSD PTR "
    std::uint8_t checksum;          // 8: of the first 20 bytes
    std::array<char, 6> oem_id;     // 9
    std::uint8_t revision;          // 15: 0, or 2 with all that follows rsdt
    le32 rsdt;                      // 16
    le32 length;                    // 20
    le64 xsdt;                      // 24
    std::uint8_t extended_checksum; // 32: of all 36 bytes
    std::array<std::byte, 3> reserved;
};
static_assert(sizeof(Rsdp) == 36);
inline constexpr std::size_t rsdp_size_revision_0 = 20;

struct TableHeader {
    std::array<char, 4> signature;    // 0
    le32 length;                      // 4: of the whole table
    std::uint8_t revision;            // 8
    std::uint8_t checksum;            // 9
    std::array<char, 6> oem_id;       // 10
    std::array<char, 8> oem_table_id; // 16
    le32 oem_revision;                // 24
    std::array<char, 4> creator_id;   // 28
    le32 creator_revision;            // 32
};
static_assert(sizeof(TableHeader) == 36);

/// CC Event Log table [Intel TDX Guest-Hypervisor Communication Interface, 4.3.3].
struct Ccel {
    TableHeader header;
    std::uint8_t type;    // 36
    std::uint8_t subtype; // 37
    le16 reserved;        // 38
    le64 log_length;      // 40: LAML
    le64 log_address;     // 48: LASA
};
static_assert(sizeof(Ccel) == 56);
inline constexpr std::uint8_t ccel_type_tdx = 2;

/// Multiple APIC Description Table [ACPI 6.5, 5.2.12]; structures follow.
struct MadtHeader {
    TableHeader header;
    le32 local_apic_address; // 36
    le32 flags;              // 40
};
static_assert(sizeof(MadtHeader) == 44);

struct MadtStructure {
    std::uint8_t type;
    std::uint8_t length; // with these two bytes
};

struct MadtLocalApic {
    MadtStructure structure;
    std::uint8_t processor; // 2
    std::uint8_t apic_id;   // 3
    le32 flags;             // 4: bit 0, enabled
};
static_assert(sizeof(MadtLocalApic) == 8);
inline constexpr std::uint8_t madt_local_apic_type = 0;

struct MadtIoApic {
    MadtStructure structure;
    std::uint8_t id;
    std::uint8_t reserved;
    le32 address;         // 4
    le32 first_interrupt; // 8
};
static_assert(sizeof(MadtIoApic) == 12);
inline constexpr std::uint8_t madt_io_apic_type = 1;

/// Interrupt source override: where an ISA interrupt arrives.
struct MadtOverride {
    MadtStructure structure;
    std::uint8_t bus;    // 2: 0, ISA
    std::uint8_t source; // 3
    le32 interrupt;      // 4
    le16 flags;          // 8: polarity, trigger
};
static_assert(sizeof(MadtOverride) == 10);
inline constexpr std::uint8_t madt_override_type = 2;

/// Processors whose APIC ID is above 254.
struct MadtLocalX2Apic {
    MadtStructure structure;
    le16 reserved;  // 2
    le32 apic_id;   // 4
    le32 flags;     // 8
    le32 processor; // 12
};
static_assert(sizeof(MadtLocalX2Apic) == 16);
inline constexpr std::uint8_t madt_local_x2apic_type = 9;

/// Multiprocessor wakeup structure as far as all versions have it [ACPI 6.5, 5.2.12.19].
struct MadtWakeup {
    MadtStructure structure;
    le16 version;  // 2
    le32 reserved; // 4
    le64 mailbox;  // 8
};
static_assert(sizeof(MadtWakeup) == 16);
/// With the place to which the operating system may send a processor back [ACPI 6.6, 5.2.12.19].
struct MadtWakeupVersion1 {
    MadtWakeup wakeup;
    le64 reset_vector; // 16
};
static_assert(sizeof(MadtWakeupVersion1) == 24);
inline constexpr std::uint8_t madt_wakeup_type = 0x10;

/// Generic address structure.
struct GenericAddress {
    std::uint8_t space; // 1: I/O ports
    std::uint8_t bits;
    std::uint8_t bit_offset;
    std::uint8_t access;
    le64 address;
};
static_assert(sizeof(GenericAddress) == 12);

/// Fixed ACPI Description Table, revision 3 [ACPI 2.0, 5.2.8]. The extended blocks stay zero: the
/// addresses of 32 bits hold.
struct Fadt {
    TableHeader header;
    le32 facs; // 36
    le32 dsdt; // 40
    std::uint8_t reserved_44;
    std::uint8_t profile; // 45
    le16 sci;             // 46
    le32 smi_command;     // 48: 0: always in ACPI mode
    le32 smi_values;      // 52
    le32 pm1a_event;      // 56
    le32 pm1b_event;
    le32 pm1a_control; // 64
    le32 pm1b_control;
    le32 pm2_control; // 72
    le32 pm_timer;    // 76
    le32 gpe0;        // 80
    le32 gpe1;
    std::uint8_t pm1_event_length; // 88
    std::uint8_t pm1_control_length;
    std::uint8_t pm2_control_length;
    std::uint8_t pm_timer_length;
    std::uint8_t gpe0_length; // 92
    std::uint8_t gpe1_length;
    le16 gpe1_base_and_cst;
    le16 c2_latency; // 96
    le16 c3_latency;
    std::array<std::byte, 8> cache_and_duty; // 100
    std::uint8_t century;                    // 108: in CMOS
    le16 boot_flags;                         // 109
    std::uint8_t reserved_111;
    le32 flags;               // 112
    GenericAddress reset;     // 116
    std::uint8_t reset_value; // 128
    std::array<std::byte, 115> rest;
};
static_assert(sizeof(Fadt) == 244);
inline constexpr std::size_t fadt_extended_facs = 132;          // le64: X_FIRMWARE_CTRL
inline constexpr std::size_t fadt_extended_dsdt = 140;          // le64: X_DSDT
inline constexpr std::size_t fadt_extended_pm1a_event = 148;    // GenericAddress: X_PM1a_EVT_BLK
inline constexpr std::uint32_t fadt_hardware_reduced = 1 << 20; // of flags

/// Firmware ACPI Control Structure; it has no table header.
struct Facs {
    std::array<char, 4> signature; // 0 "FACS"
    le32 length;                   // 4
    std::array<std::byte, 24> zero;
    std::uint8_t version; // 32
    std::array<std::byte, 31> rest;
};
static_assert(sizeof(Facs) == 64);

/// PCI Express memory-mapped configuration [PCI Firmware Specification 3.3, 4.1.2], one segment.
struct Mcfg {
    TableHeader header;
    le64 reserved;
    le64 base;    // 44
    le16 segment; // 52
    std::uint8_t first_bus;
    std::uint8_t last_bus;
    le32 reserved_56;
};
static_assert(sizeof(Mcfg) == 60);

using LoaderFileName = std::array<char, 56>;

struct LoaderCommand {
    le32 command; // 0
    union {
        struct {
            LoaderFileName file;
            le32 alignment;
            std::uint8_t zone; // 1: below 4 GiB, 2: the segment at 0xF0000
        } allocate;
        struct {
            LoaderFileName file;   // holds the pointer
            LoaderFileName source; // is pointed to
            le32 offset;
            std::uint8_t size;
        } add_pointer;
        struct {
            LoaderFileName file;
            le32 offset; // of the checksum byte
            le32 start;
            le32 length;
        } add_checksum;
        struct {
            LoaderFileName file;   // a writable fw_cfg file
            LoaderFileName source; // is pointed to
            le32 offset;
            le32 source_offset;
            std::uint8_t size;
        } write_pointer;
        std::array<std::byte, 124> raw;
    };
};
static_assert(sizeof(LoaderCommand) == 128);

} // namespace tdshim::acpi
