// SPDX-License-Identifier: Apache-2.0
//
// What a VMM that fills the sections Payload and PayloadParam puts there, and how it tells the
// firmware so [td-shim specification 0.7, part II, "Payload Loading"; Cloud Hypervisor
// vmm/src/vm.rs]. The initrd, of which the specification says nothing, goes behind the kernel; a
// HOB of ours says where.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shim/formats/hob/wire.hpp"
#include "shim/formats/tdvf/metadata.hpp"
#include "tools/common/failure.hpp"
#include "tools/vmm/acpi_files.hpp"

namespace tdshim::vmm {

/// What the VMM is given.
struct BootFiles {
    std::vector<std::byte> kernel; ///< any payload; empty: none
    std::vector<std::byte> initrd; ///< empty: none
    std::string command_line;
    /// The kernel is raw: already as in memory, to be entered here.
    std::optional<std::uint64_t> raw_entry;
};

/// Bytes for the start of a section; the rest of it is zero.
struct SectionContent {
    tdvf::SectionType type{};
    std::vector<std::byte> bytes;
};

struct Placement {
    std::vector<SectionContent> sections;
    std::optional<hob::PayloadInfo> payload;
    std::optional<hob::InitrdInfo> initrd;

    /// Empty where the VMM puts nothing.
    [[nodiscard]] Bytes content_of(tdvf::SectionType type) const;
};

/// `image`, with these sections, gets `files`; its own data for sections in RAM is placed as well.
/// Errors: files for which there is no section, or no room in it.
[[nodiscard]] tools::Outcome<Placement> place_files(Bytes image, const tdvf::Metadata& metadata,
                                                    const BootFiles& files);

/// The tables in QEMU's file etc/acpi/tables, one by one and unlinked, as another VMM has them for
/// a TD HOB: without root tables, pointers zero, checksums good.
[[nodiscard]] std::vector<std::vector<std::byte>> unlinked_tables(const ConfigFiles& files);

} // namespace tdshim::vmm
