// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/pe/pe.hpp"

#include <algorithm>

namespace tdshim::pe {
namespace {

/// The offset of the COFF header.
Result<std::uint64_t> find_coff_header(Bytes file) {
    const std::uint16_t dos = TRY(read_at<le16>(file, 0));
    if (dos != dos_magic)
        return refuse(Fault::pe_header, 0, dos_magic, dos);
    const std::uint64_t at = TRY(read_at<le32>(file, signature_pointer));
    const std::uint32_t found = TRY(read_at<le32>(file, at));
    if (found != signature)
        return refuse(Fault::pe_header, at, signature, found);
    return at + sizeof(le32);
}

Result<CoffHeader> parse_coff_header(Bytes file, std::uint64_t at) {
    const auto header = TRY(read_at<CoffHeader>(file, at));
    if (header.machine != machine_x86_64)
        return refuse(Fault::pe_header, at + offsetof(CoffHeader, machine), machine_x86_64,
                      header.machine);
    if (header.optional_header_size < sizeof(OptionalHeader))
        return refuse(Fault::pe_header, at + offsetof(CoffHeader, optional_header_size),
                      sizeof(OptionalHeader), header.optional_header_size);
    if (header.section_count > max_sections)
        return refuse(Fault::too_many_entries, at + offsetof(CoffHeader, section_count),
                      max_sections, header.section_count);
    return header;
}

Result<void> parse_optional_header(File& parsed, Bytes file, std::uint64_t size) {
    const std::uint64_t at = parsed.optional_header_offset;
    parsed.header = TRY(read_at<OptionalHeader>(file, at));
    if (parsed.header.magic != optional_magic_64)
        return refuse(Fault::pe_header, at, optional_magic_64, parsed.header.magic);
    const std::uint64_t room = (size - sizeof(OptionalHeader)) / sizeof(DataDirectory);
    if (parsed.header.directory_count > room)
        return refuse(Fault::pe_header, at + offsetof(OptionalHeader, directory_count), room,
                      parsed.header.directory_count);
    const std::size_t count = std::min<std::size_t>(parsed.header.directory_count, max_directories);
    for (std::size_t i = 0; i < count; ++i)
        parsed.directories[i] = TRY(
            read_at<DataDirectory>(file, at + sizeof(OptionalHeader) + i * sizeof(DataDirectory)));
    return {};
}

Result<Section> parse_section(Bytes file, std::uint64_t at) {
    const auto header = TRY(read_at<SectionHeader>(file, at));
    if (header.raw_size != 0 && header.raw_offset > file.size())
        return refuse(Fault::pe_section_outside_file, at + offsetof(SectionHeader, raw_offset),
                      file.size(), header.raw_offset);
    if (header.raw_size != 0 && header.raw_size > file.size() - header.raw_offset)
        return refuse(Fault::pe_section_outside_file, at + offsetof(SectionHeader, raw_size),
                      file.size() - header.raw_offset, header.raw_size);
    speculation_barrier();
    return Section{.header_offset = at,
                   .padded_name = header.name,
                   .address = header.address,
                   .memory_size = header.memory_size != 0 ? header.memory_size : header.raw_size,
                   .raw = header.raw_size == 0 ? Bytes{}
                                               : file.subspan(header.raw_offset, header.raw_size),
                   .writable = (header.characteristics & section_writable) != 0,
                   .executable = (header.characteristics & section_executable) != 0};
}

} // namespace

std::string_view Section::name() const {
    const auto end = std::ranges::find(padded_name, '\0');
    return {padded_name.data(), static_cast<std::size_t>(end - padded_name.begin())};
}

const Section* File::find(std::string_view name) const {
    const auto found = std::ranges::find(sections, name, &Section::name);
    return found == sections.end() ? nullptr : &*found;
}

bool has_magic(Bytes file) {
    const auto magic = read_at<le16>(file, 0);
    return magic && *magic == dos_magic;
}

Result<File> parse(Bytes file) {
    const std::uint64_t coff_at = TRY(find_coff_header(file));
    const CoffHeader coff = TRY(parse_coff_header(file, coff_at));
    File parsed{.optional_header_offset = coff_at + sizeof(CoffHeader),
                .header = {},
                .has_relocations_stripped =
                    (coff.characteristics & characteristic_no_relocations) != 0,
                .directories = {},
                .sections = {}};
    TRY(parse_optional_header(parsed, file, coff.optional_header_size));
    const std::uint64_t table = parsed.optional_header_offset + coff.optional_header_size;
    for (std::uint64_t i = 0; i < coff.section_count; ++i) {
        const Section section = TRY(parse_section(file, table + i * sizeof(SectionHeader)));
        static_cast<void>(parsed.sections.push(section)); // their number was checked
    }
    return parsed;
}

Result<std::uint64_t> file_size(const File& parsed, Bytes file) {
    const DataDirectory certificates = parsed.directories[directory_certificates];
    const std::uint64_t end_of_certificates =
        std::uint64_t{certificates.address} + certificates.size;
    std::uint64_t size = std::max<std::uint64_t>(parsed.header.headers_size, end_of_certificates);
    if (size > file.size())
        return refuse(Fault::truncated, parsed.optional_header_offset, size, file.size());
    for (const Section& section : parsed.sections)
        if (!section.raw.empty())
            size = std::max(size, static_cast<std::uint64_t>(section.raw.data() - file.data()) +
                                      section.raw.size());
    return size;
}

} // namespace tdshim::pe
