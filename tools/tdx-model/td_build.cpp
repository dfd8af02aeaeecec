// SPDX-License-Identifier: Apache-2.0
#include "tools/tdx-model/td_build.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace tdshim::tdx_model {
namespace {

constexpr std::size_t block_size = 128; // MRTD grows by such blocks
constexpr std::size_t chunk_size = 256; // what one TDH.MR.EXTEND takes

/// A block that names an operation and the address that it works on.
std::array<std::byte, block_size> operation(std::string_view name, std::uint64_t gpa) {
    std::array<std::byte, block_size> block{};
    std::ranges::copy(bytes_of(name), block.begin());
    const le64 address = gpa;
    std::ranges::copy(bytes_of(address), block.begin() + 16);
    return block;
}

void add_page(crypto::Sha384& mrtd, std::uint64_t page) {
    mrtd.update(operation("MEM.PAGE.ADD", page));
}

/// `content` from the page's start on; zeros behind it.
void extend_page(crypto::Sha384& mrtd, std::uint64_t page, Bytes content) {
    for (std::size_t at = 0; at < page_size; at += chunk_size) {
        std::array<std::byte, chunk_size> chunk{};
        if (at < content.size())
            std::ranges::copy(content.subspan(at, std::min(chunk_size, content.size() - at)),
                              chunk.begin());
        mrtd.update(operation("MR.EXTEND", page + at));
        mrtd.update(chunk);
    }
}

/// What stands in the section's memory from its start on.
Bytes content_of_section(const tdvf::Section& section, Bytes image, const ContentOf& content_of) {
    if (section.raw_size != 0)
        return image.subspan(section.data_offset, section.raw_size);
    return content_of ? content_of(section.type) : Bytes{};
}

void extend_page(crypto::Sha384& mrtd, std::uint64_t page, const tdvf::Section& section,
                 Bytes content) {
    if ((section.attributes & tdvf::attribute_mr_extend) == 0)
        return;
    const std::uint64_t offset = page - section.memory.start().value;
    extend_page(mrtd, page, offset < content.size() ? content.subspan(offset) : Bytes{});
}

} // namespace

crypto::Digest mrtd_of(Bytes image, const tdvf::Metadata& metadata, LoadOrder order,
                       const ContentOf& content_of) {
    crypto::Sha384 mrtd;
    for (const tdvf::Section& section : metadata.sections) {
        if ((section.attributes & tdvf::attribute_page_aug) != 0 || section.memory.empty())
            continue; // memory that is there later, and data of a BFV
        const Bytes content = content_of_section(section, image, content_of);
        const std::uint64_t end = section.memory.end().value;
        for (std::uint64_t page = section.memory.start().value; page < end; page += page_size) {
            add_page(mrtd, page);
            if (order == LoadOrder::page_by_page)
                extend_page(mrtd, page, section, content);
        }
        if (order == LoadOrder::section_by_section)
            for (std::uint64_t page = section.memory.start().value; page < end; page += page_size)
                extend_page(mrtd, page, section, content);
    }
    return mrtd.finish();
}

Result<crypto::Digest> mrtd_of(const igvm::File& file) {
    const std::uint32_t tdx = file.mask_of(igvm::PlatformType::tdx);
    if (tdx == 0)
        return refuse(Fault::igvm_no_tdx);
    crypto::Sha384 mrtd;
    for (const igvm::Directive& directive : file.directives) {
        const auto* page = std::get_if<igvm::PageData>(&directive.body);
        const auto* insert = std::get_if<igvm::ParameterInsert>(&directive.body);
        if (page != nullptr && (page->mask & tdx) != 0 && !page->is_shared) {
            add_page(mrtd, page->memory.start().value);
            if (page->is_measured)
                extend_page(mrtd, page->memory.start().value, file.data_of(*page));
        }
        if (insert != nullptr && (insert->mask & tdx) != 0)
            for (std::uint64_t at = 0; at < insert->memory.size(); at += page_size)
                add_page(mrtd, insert->memory.start().value + at);
    }
    return mrtd.finish();
}

} // namespace tdshim::tdx_model
