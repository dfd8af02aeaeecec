// SPDX-License-Identifier: Apache-2.0
//
// Images with metadata, options and a configuration volume for the boot in a host process, launches
// by a VMM that places everything itself, and the ACPI tables that a boot handed on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "linker/profile.hpp"
#include "shim/formats/acpi/tables.hpp"
#include "shim/memory/layout.hpp"
#include "tests/native/inputs.hpp"
#include "tools/vmm/td_hob.hpp"

namespace tdshim::native {

/// Where the VMM puts payload and initrd.
inline constexpr auto payload_section = GpaRange::of<64 * MiB, 16 * MiB>();

/// An ACPI table of zeros with a header and a good checksum.
[[nodiscard]] Blob table(std::array<char, 4> signature, std::size_t size);

/// What a VMM of Cloud Hypervisor's kind brings, and which image it is for.
struct Launch {
    linker::Profile profile = linker::Profile::tdvf_payload;
    std::uint32_t options = 0; ///< tdvf::option_ bits
    Blob volume;               ///< the image's configuration volume; empty: blank
    std::uint64_t memory = 512 * MiB;
    Blob payload = kernel_image();
    std::string initrd = "an initrd";
    Blob parameter = text_blob(std::string("console=ttyS0\0", 14));
    vmm::HobExtras extras{.mmio = {GpaRange::of<0xFE000000, 0x1000>()},
                          .acpi_tables = {table({'D', 'S', 'D', 'T'}, 100),
                                          table({'F', 'A', 'C', 'P'}, sizeof(acpi::Fadt)),
                                          table({'A', 'P', 'I', 'C'}, sizeof(acpi::MadtHeader))},
                          .payload = hob::PayloadInfo{1U, 0U, payload_section.start().value},
                          .initrd = {}};

    [[nodiscard]] std::uint64_t initrd_address() const {
        return payload_section.start().value + *align_up(payload.size(), page_size);
    }
};

/// An image without code: its metadata and volume are all that a boot in this process reads of it.
[[nodiscard]] Blob image_of(const Launch& launch);

/// Makes `machine` a TD that is launched so.
void start(Machine& machine, Launch launch);

/// The tables that the XSDT lists to which the RSDP at `rsdp_address` leads.
[[nodiscard]] std::vector<Bytes> listed_tables(Machine& machine, std::uint64_t rsdp_address);

} // namespace tdshim::native
