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

class Measurement {
  public:
    Measurement(Bytes image, const tdvf::Section& section, const ContentOf& content_of)
        : section_(section) {
        if (section.raw_size != 0)
            content_ = image.subspan(section.data_offset, section.raw_size);
        else if (content_of)
            content_ = content_of(section.type);
    }

    void add_page(crypto::Sha384& mrtd, std::uint64_t page) const {
        mrtd.update(operation("MEM.PAGE.ADD", page));
    }

    void extend_page(crypto::Sha384& mrtd, std::uint64_t page) const {
        if ((section_.attributes & tdvf::attribute_mr_extend) == 0)
            return;
        for (std::uint64_t at = page; at < page + page_size; at += chunk_size) {
            mrtd.update(operation("MR.EXTEND", at));
            mrtd.update(chunk(at - section_.memory.start().value));
        }
    }

  private:
    /// Memory behind the data is zero.
    [[nodiscard]] std::array<std::byte, chunk_size> chunk(std::uint64_t offset) const {
        std::array<std::byte, chunk_size> bytes{};
        if (offset < content_.size())
            std::ranges::copy(content_.subspan(offset, std::min<std::uint64_t>(
                                                           chunk_size, content_.size() - offset)),
                              bytes.begin());
        return bytes;
    }

    const tdvf::Section& section_;
    Bytes content_;
};

} // namespace

crypto::Digest mrtd_of(Bytes image, const tdvf::Metadata& metadata, LoadOrder order,
                       const ContentOf& content_of) {
    crypto::Sha384 mrtd;
    for (const tdvf::Section& section : metadata.sections) {
        if ((section.attributes & tdvf::attribute_page_aug) != 0 || section.memory.empty())
            continue; // memory that is there later, and data of a BFV
        const Measurement measurement(image, section, content_of);
        const std::uint64_t end = section.memory.end().value;
        for (std::uint64_t page = section.memory.start().value; page < end; page += page_size) {
            measurement.add_page(mrtd, page);
            if (order == LoadOrder::page_by_page)
                measurement.extend_page(mrtd, page);
        }
        if (order == LoadOrder::section_by_section)
            for (std::uint64_t page = section.memory.start().value; page < end; page += page_size)
                measurement.extend_page(mrtd, page);
    }
    return mrtd.finish();
}

} // namespace tdshim::tdx_model
