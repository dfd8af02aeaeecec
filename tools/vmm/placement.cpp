// SPDX-License-Identifier: Apache-2.0
#include "tools/vmm/placement.hpp"

#include <algorithm>
#include <format>

#include "shim/formats/acpi/tables.hpp"
#include "shim/formats/payload/kind.hpp"
#include "shim/formats/signed_payload/signed_payload.hpp"

namespace tdshim::vmm {
namespace {

using tdvf::Section;
using tdvf::SectionType;
using tools::failure;
using tools::Outcome;

/// As the VMM announces it; nothing where it cannot tell.
std::optional<std::uint32_t> image_type_of(const BootFiles& files) {
    if (files.raw_entry)
        return hob::image_type_raw_vmlinux;
    const auto kind = signed_payload::contents_of(files.kernel).and_then(payload::kind_of);
    if (!kind)
        return std::nullopt;
    switch (*kind) {
    case payload::Kind::elf:
    case payload::Kind::pe:
    case payload::Kind::uki:
    case payload::Kind::bundle: return hob::image_type_executable;
    case payload::Kind::bzimage: return hob::image_type_bzimage;
    case payload::Kind::vmlinux: return hob::image_type_vmlinux;
    case payload::Kind::raw_vmlinux: break;
    }
    return std::nullopt;
}

Outcome<> check_room(const Section& section, std::uint64_t size) {
    if (size <= section.memory.size())
        return {};
    return std::unexpected(
        failure(std::string(tdvf::name_of(section.type)) + " section",
                std::format("expected at most {} bytes, found {}", section.memory.size(), size)));
}

/// Kernel and, on the next page, initrd.
Outcome<> place_payload(Placement& placement, const Section& section, const BootFiles& files) {
    std::vector<std::byte> bytes = files.kernel;
    if (!files.initrd.empty()) {
        bytes.resize(*align_up(bytes.size(), page_size));
        placement.initrd = hob::InitrdInfo{section.memory.start().value + bytes.size(),
                                           std::uint64_t{files.initrd.size()}};
        bytes.append_range(files.initrd);
    }
    TRY(check_room(section, bytes.size()));
    if (const auto type = image_type_of(files))
        placement.payload =
            hob::PayloadInfo{.image_type = *type,
                             .reserved = 0,
                             .entry = files.raw_entry.value_or(section.memory.start().value)};
    placement.sections.push_back({SectionType::payload, std::move(bytes)});
    return {};
}

Outcome<> place_command_line(Placement& placement, const Section& section, const BootFiles& files) {
    std::vector<std::byte> text;
    text.append_range(bytes_of(std::string_view(files.command_line)));
    text.push_back(std::byte{0});
    TRY(check_room(section, text.size()));
    placement.sections.push_back({SectionType::payload_param, std::move(text)});
    return {};
}

/// A table at the start of `bytes`, by what it says of its own length.
std::vector<std::byte> table_at(Bytes bytes) {
    const auto header = read_at<acpi::TableHeader>(bytes, 0);
    if (!header || header->length < 8 || header->length > bytes.size())
        return {};
    const Bytes table = bytes.first(header->length);
    return {table.begin(), table.end()};
}

} // namespace

Bytes Placement::content_of(SectionType type) const {
    const auto found = std::ranges::find(sections, type, &SectionContent::type);
    return found == sections.end() ? Bytes{} : Bytes(found->bytes);
}

Outcome<Placement> place_files(Bytes image, const tdvf::Metadata& metadata,
                               const BootFiles& files) {
    Placement placement;
    const Section* const payload = metadata.find(SectionType::payload);
    const Section* const parameter = metadata.find(SectionType::payload_param);
    if (payload != nullptr && payload->raw_size != 0) {
        if (!files.kernel.empty())
            return std::unexpected(failure("image", "has a payload of its own"));
        const Bytes data = image.subspan(payload->data_offset, payload->raw_size);
        placement.sections.push_back({SectionType::payload, {data.begin(), data.end()}});
    } else if (payload != nullptr && !files.kernel.empty()) {
        TRY(place_payload(placement, *payload, files));
    } else if (!files.kernel.empty()) {
        return std::unexpected(failure("image", "has no Payload section"));
    }
    if (parameter != nullptr)
        TRY(place_command_line(placement, *parameter, files));
    else if (!files.command_line.empty())
        return std::unexpected(failure("image", "has no PayloadParam section"));
    return placement;
}

std::vector<std::vector<std::byte>> unlinked_tables(const ConfigFiles& files) {
    const auto file = std::ranges::find(files.acpi, "etc/acpi/tables", &ConfigFile::name);
    std::vector<std::vector<std::byte>> tables;
    Bytes rest = file == files.acpi.end() ? Bytes{} : Bytes(file->content);
    while (!rest.empty()) {
        std::vector<std::byte> table = table_at(rest);
        if (table.empty()) { // QEMU aligns some tables
            rest = rest.subspan(1);
            continue;
        }
        rest = rest.subspan(table.size());
        const bool is_wanted =
            std::ranges::none_of(std::array{"RSDT", "XSDT", "FACS"}, [&](const char* signature) {
                return acpi::has_signature(table, signature);
            });
        if (!is_wanted)
            continue;
        if (acpi::has_signature(table, "FACP"))
            static_cast<void>(acpi::link_fadt(table, {}, {}));
        table[offsetof(acpi::TableHeader, checksum)] = std::byte{0};
        acpi::set_checksum(table);
        tables.push_back(std::move(table));
    }
    return tables;
}

} // namespace tdshim::vmm
