// SPDX-License-Identifier: Apache-2.0
//
// Where the firmware stands in guest physical memory: the one place for these numbers. The linker
// script, the reset vector and shim-ld's metadata take them from here. specs/image-format.md has
// the picture.
#pragma once

#include <cstdint>

#include "shim/base/gpa.hpp"

namespace tdshim::layout {

// The image ends where the first 4 GiB end. From the end downwards: the reset vector (code and the
// first page tables), the shim's code and constants, and at the image's start the CFV and an
// embedded payload, for which the image grows downwards.
inline constexpr std::uint64_t image_end = 4 * GiB;
inline constexpr std::uint64_t image_granule = 64 * KiB; // QEMU's unit for -bios
inline constexpr std::uint64_t max_image_size = 16 * MiB;
inline constexpr std::uint64_t min_image_size = 320 * KiB;
inline constexpr std::uint64_t reset_vector_size = 32 * KiB;
inline constexpr std::uint64_t shim_rom_size = 224 * KiB;
inline constexpr std::uint64_t cfv_size = 64 * KiB;
static_assert(reset_vector_size + shim_rom_size + cfv_size == min_image_size);

inline constexpr auto reset_vector =
    GpaRange::of<image_end - reset_vector_size, reset_vector_size>();
/// Where processors come back to that the operating system needs no more, behind the page tables.
inline constexpr Gpa wakeup_reset{reset_vector.start().value + 28 * KiB};
inline constexpr auto shim_rom =
    GpaRange::of<image_end - reset_vector_size - shim_rom_size, shim_rom_size>();

// The reset vector copies the shim from the image to memory below 16 MiB, the lowest address at
// which a Linux kernel settles: code that runs more than 2 GiB away from its data would need a
// large code model. Code and data have a large page each, so that even the first page tables are
// W^X; the copy is written through an alias of the code's page.
inline constexpr auto shim_code = GpaRange::of<8 * MiB, 256 * KiB>(); // code and constants
inline constexpr auto shim_data = GpaRange::of<10 * MiB, 1 * MiB>();  // data, stacks, page tables
inline constexpr std::uint64_t shim_code_alias = 12 * MiB;            // a virtual address
static_assert(shim_code.size() >= shim_rom_size);

inline constexpr auto td_hob = GpaRange::of<11 * MiB, 128 * KiB>();
// These stay in use after the hand-over and are reported as ACPI NVS.
inline constexpr auto event_log = GpaRange::of<11 * MiB + 128 * KiB, 64 * KiB>();
// The mailbox is added to the TD by the VMM and extended into MRTD, so that it begins as zero, and
// nobody accepts it, ever: a VMM that takes it away stops the TD (specs/threat-model.md,
// "Processors").
inline constexpr auto mailbox = GpaRange::of<11 * MiB + 192 * KiB, 4 * KiB>();

// In a TD, what the shim and the VMM exchange passes through here: shared while the shim runs,
// private memory like any other afterwards.
inline constexpr auto shared_window = GpaRange::of<11 * MiB + 512 * KiB, 512 * KiB>();

/// From the first to the last byte of what the shim uses while it runs; below and above it, memory
/// is the payload's.
inline constexpr auto shim_memory = GpaRange::between(shim_code.start(), shared_window.end());

/// A display with VGA's registers has its memory here [PCI Code and ID Assignment 1.11, class
/// 0300h]: a device, of which the VMM of a TD cannot make private memory, and which no TD needs.
/// What a HOB calls it does not count.
inline constexpr auto video_memory = GpaRange::of<640 * KiB, 128 * KiB>();

// Where a VMM puts the command line, and by default the payload, in images that say so.
inline constexpr auto payload_param = GpaRange::of<11 * MiB + 256 * KiB, 4 * KiB>();
inline constexpr std::uint64_t payload_address = 192 * MiB;

// Memory of a service TD, which owns what its image names: on both sides of a display's memory, for
// Linux reads there what a PC's firmware leaves, and nobody may touch what nobody accepted; around
// the mailbox and the window; and as much as is asked for above the shim.
inline constexpr auto service_below_640k = GpaRange::between({0}, video_memory.start());
inline constexpr auto service_below_1m = GpaRange::between(video_memory.end(), {1 * MiB});
inline constexpr auto service_low = GpaRange::of<11 * MiB + 196 * KiB, 828 * KiB>();
static_assert(service_low.start() == mailbox.end() && service_low.end() == shared_window.end());
inline constexpr std::uint64_t service_high = 16 * MiB;

// The firmware's half of the mailbox [ACPI 6.5, 5.2.12.19, gives it the page from 2048 on]: what
// the processors of a TD that wait in the reset vector are to do. Phase and number of processors
// that are in the shim are one word, so that nobody can join when the phase is over.
inline constexpr std::uint64_t mailbox_state = 2048;  // le32: phase_..., and joined_one for each
inline constexpr std::uint64_t mailbox_worker = 2056; // le64: where they enter the shim
// Which APIC ID the VMM gave each of them, told once: by vCPU index 1 more than the ID, le16, or 0.
// No two of them have the same. One of a higher index than there is room for waits for ever.
inline constexpr std::uint64_t mailbox_claims_lock = 2064; // le32: 1 while a claim is made
inline constexpr std::uint64_t mailbox_claims = 2068;
inline constexpr std::uint32_t max_claims = (4 * KiB - mailbox_claims) / 2;
inline constexpr std::uint32_t max_apic_id = 0xFFFE;
inline constexpr std::uint32_t phase_wait = 0; // as the page begins
inline constexpr std::uint32_t phase_park = 1; // wait for the operating system
// Enter the shim; so do all numbers above, each once.
inline constexpr std::uint32_t first_phase_of_work = 2;
inline constexpr std::uint32_t joined_one = 0x100;

// The end of the reset vector belongs to shim-ld up to the 16 bytes of the reset vector proper,
// which NASM leaves zero: TDX metadata, footer table, and the slots below.
inline constexpr std::uint64_t link_room_from_end = 0x400;
inline constexpr std::uint64_t link_room_size = link_room_from_end - 0x10;
inline constexpr std::uint64_t code_size_slot_from_end =
    0x1C;                                                  // le32: bytes of the shim in shim_rom
inline constexpr std::uint64_t entry_slot_from_end = 0x18; // le64: the shim's entry point

} // namespace tdshim::layout
