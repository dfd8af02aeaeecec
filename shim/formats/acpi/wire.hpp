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

/// Multiprocessor wakeup structure, version 0 [ACPI 6.5, 5.2.12.19].
struct MadtWakeup {
    MadtStructure structure;
    le16 version;  // 2
    le32 reserved; // 4
    le64 mailbox;  // 8
};
static_assert(sizeof(MadtWakeup) == 16);
inline constexpr std::uint8_t madt_wakeup_type = 0x10;

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
