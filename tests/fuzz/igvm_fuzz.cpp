// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as an IGVM file, as they are, and as the variable headers of a file for TDX with a
// right checksum: what is accepted keeps the promises of file.hpp. And any sections as an image
// that is written as IGVM: the file is accepted, and leads to the image's MRTD.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "tools/igvm/crc32.hpp"
#include "tools/igvm/file.hpp"
#include "tools/igvm/wire.hpp"
#include "tools/igvm/writer.hpp"
#include "tools/tdx-model/td_build.hpp"

using namespace tdshim;

namespace {

constexpr std::uint64_t most_pages_to_hash = 4;

void require(bool condition) {
    if (!condition)
        std::abort();
}

/// Number of pages that are put into memory.
std::uint64_t check_directives(const igvm::File& file) {
    std::uint64_t pages = 0;
    for (const igvm::Directive& directive : file.directives) {
        require(directive.offset >= file.headers_offset &&
                directive.offset - file.headers_offset < file.headers_size);
        if (const auto* page = std::get_if<igvm::PageData>(&directive.body)) {
            const Bytes data = file.data_of(*page);
            require(data.empty() || data.size() == page_size);
            require(page->memory.size() == page_size &&
                    (page->is_measured ? !page->is_shared : true));
            ++pages;
        }
        if (const auto* insert = std::get_if<igvm::ParameterInsert>(&directive.body)) {
            require(!insert->memory.empty() && insert->memory.size() <= igvm::max_area_size);
            require(is_aligned(insert->memory.start().value, page_size));
            pages += insert->memory.size() / page_size;
        }
    }
    return pages;
}

void check_file(Bytes bytes) {
    const auto file = igvm::parse(bytes);
    if (!file)
        return;
    require(igvm::has_magic(bytes));
    const std::uint64_t pages = check_directives(*file);
    std::uint64_t pages_of_runs = 0;
    for (const igvm::Run& run : igvm::runs_of(*file))
        pages_of_runs += run.memory.size() / page_size;
    require(pages == pages_of_runs);
    const bool is_for_tdx = file->mask_of(igvm::PlatformType::tdx) != 0;
    if (pages <= most_pages_to_hash)
        require(tdx_model::mrtd_of(*file).has_value() == is_for_tdx);
}

void append(std::vector<std::byte>& bytes, Bytes more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

/// A file for TDX and SEV-SNP whose further headers are `headers`, with a page of data.
std::vector<std::byte> file_of(Bytes headers) {
    headers = headers.first(align_down(headers.size(), igvm::header_alignment));
    std::vector<std::byte> all;
    for (const igvm::PlatformType type : {igvm::PlatformType::tdx, igvm::PlatformType::sev_snp}) {
        const auto number = static_cast<std::uint8_t>(type);
        append(all, bytes_of(igvm::VariableHeader{1, sizeof(igvm::SupportedPlatformHeader)}));
        append(all, bytes_of(igvm::SupportedPlatformHeader{number, 0, number, 1, 0}));
    }
    append(all, headers);
    const auto size = static_cast<std::uint32_t>(all.size());
    igvm::FixedHeader fixed{igvm::magic,
                            igvm::version_1,
                            sizeof(fixed),
                            size,
                            static_cast<std::uint32_t>(sizeof(fixed) + size + page_size),
                            0};
    igvm::Crc32 checksum;
    checksum.update(bytes_of(fixed));
    checksum.update(all);
    fixed.checksum = checksum.value();
    std::vector<std::byte> file;
    append(file, bytes_of(fixed));
    append(file, all);
    file.resize(file.size() + page_size, std::byte{0x5A});
    return file;
}

/// Four bytes a section: type, attributes, pages, pages with data.
tdvf::Metadata sections_of(Bytes bytes) {
    tdvf::Metadata metadata;
    std::uint64_t address = 0;
    while (bytes.size() >= 4 && metadata.sections.size() < 4) {
        const auto number = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
        const std::uint64_t size = (1 + number(2) % 3) * page_size;
        const auto raw = static_cast<std::uint32_t>(number(3) % (size / page_size + 1) * page_size);
        require(metadata.sections.push(
            {.type = tdvf::SectionType{number(0) % (tdvf::max_section_type + 1)},
             .data_offset = 0,
             .raw_size = raw - (raw != 0 ? number(1) >> 2 : 0),
             .memory = GpaRange::between({address}, {address + size}),
             .attributes = number(1) & 3}));
        address += size;
        bytes = bytes.subspan(4);
    }
    return metadata;
}

void check_written(Bytes bytes) {
    const tdvf::Metadata metadata = sections_of(bytes);
    std::vector<std::byte> image(bytes.begin(), bytes.end());
    image.resize(3 * page_size);
    const auto written = igvm::write(image, metadata);
    if (!written) {
        require(written.error().fault == Fault::igvm_section);
        return;
    }
    const auto file = igvm::parse(*written);
    require(file.has_value());
    require(tdx_model::mrtd_of(*file) ==
            tdx_model::mrtd_of(image, metadata, tdx_model::LoadOrder::page_by_page));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes = std::as_bytes(std::span(data, size));
    check_file(bytes);
    check_file(file_of(bytes));
    check_written(bytes);
    return 0;
}
