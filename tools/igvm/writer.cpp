// SPDX-License-Identifier: Apache-2.0
#include "tools/igvm/writer.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "tools/igvm/crc32.hpp"
#include "tools/igvm/file.hpp"
#include "tools/igvm/wire.hpp"

namespace tdshim::igvm {
namespace {

using tdvf::Section;
using tdvf::SectionType;

using Page = std::array<std::byte, page_size>;

constexpr std::uint32_t tdx_mask = 1;
constexpr std::uint64_t required_memory_step = 1 * GiB; // a header's size has 32 bits

void append(std::vector<std::byte>& bytes, Bytes more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

/// Headers and data of a file whose data begins at `data_offset`.
class Builder {
  public:
    explicit Builder(std::uint64_t data_offset) : data_offset_(data_offset) {}

    [[nodiscard]] const std::vector<std::byte>& headers() const { return headers_; }
    [[nodiscard]] const std::vector<std::byte>& data() const { return data_; }

    void platform() {
        put(HeaderType::supported_platform,
            SupportedPlatformHeader{.mask = tdx_mask,
                                    .highest_vtl = 0,
                                    .platform_type = static_cast<std::uint8_t>(PlatformType::tdx),
                                    .platform_version = platform_version,
                                    .shared_gpa_boundary = shared_gpa_boundary});
        // Linux refuses a TD whose VMM may take pages away unseen.
        put(HeaderType::guest_policy, GuestPolicyHeader{.policy = tdx_policy_sept_ve_disable,
                                                        .mask = tdx_mask,
                                                        .reserved = 0});
    }

    /// `content` from the section's start on; zeros behind it.
    void pages(const Section& section, Bytes content) {
        const bool is_measured = (section.attributes & tdvf::attribute_mr_extend) != 0;
        for (std::uint64_t at = 0; at < section.memory.size(); at += page_size) {
            Page page{};
            if (at < content.size()) {
                const auto size = std::min<std::uint64_t>(page_size, content.size() - at);
                std::ranges::copy(content.subspan(at, size), page.begin());
            }
            put(HeaderType::page_data, PageDataHeader{.gpa = section.memory.start().value + at,
                                                      .mask = tdx_mask,
                                                      .file_offset = place(page),
                                                      .flags = is_measured ? 0 : page_unmeasured,
                                                      .data_type = page_type_normal,
                                                      .reserved = 0});
        }
    }

    /// Memory that the loader fills with `parameter`.
    void parameter(const Section& section, HeaderType parameter) {
        const std::uint32_t index = areas_++;
        put(HeaderType::parameter_area,
            ParameterAreaHeader{.size = section.memory.size(), .index = index, .file_offset = 0});
        put(parameter, ParameterHeader{.index = index, .byte_offset = 0});
        put(HeaderType::parameter_insert, ParameterInsertHeader{.gpa = section.memory.start().value,
                                                                .mask = tdx_mask,
                                                                .index = index});
    }

    void required_memory(const Section& section) {
        for (std::uint64_t at = 0; at < section.memory.size(); at += required_memory_step)
            put(HeaderType::required_memory,
                RequiredMemoryHeader{.gpa = section.memory.start().value + at,
                                     .mask = tdx_mask,
                                     .size = static_cast<std::uint32_t>(std::min(
                                         required_memory_step, section.memory.size() - at)),
                                     .flags = 0,
                                     .reserved = 0});
    }

  private:
    template <Wire T>
    void put(HeaderType type, const T& content) {
        static_assert(is_aligned(sizeof(T), header_alignment)); // so there is no padding
        append(headers_, bytes_of(VariableHeader{.type = static_cast<std::uint32_t>(type),
                                                 .length = sizeof(T)}));
        append(headers_, bytes_of(content));
    }

    /// Offset of the page in the file, where equal ones stand once; zeros need no data.
    std::uint32_t place(const Page& page) {
        if (page == Page{})
            return 0;
        // Less than 8 GiB of pages and their headers, and write() looks at the sum.
        const auto offset = static_cast<std::uint32_t>(data_offset_ + data_.size());
        const auto [place, is_new] = places_.try_emplace(page, offset);
        if (is_new)
            append(data_, page);
        return place->second;
    }

    std::uint64_t data_offset_;
    std::uint32_t areas_ = 0;
    std::vector<std::byte> headers_;
    std::vector<std::byte> data_;
    std::map<Page, std::uint32_t> places_;
};

bool is_added_later(const Section& section) {
    return (section.attributes & tdvf::attribute_page_aug) != 0;
}

/// What fills the section is measured when the TD is built, but a loader's parameters never are.
bool is_measured_parameter(const Section& section) {
    return (section.attributes & tdvf::attribute_mr_extend) != 0;
}

Result<void> add_section(Builder& builder, const Section& section, Bytes image, std::uint64_t at) {
    if (section.memory.empty()) // data of a BFV
        return {};
    const auto type = static_cast<std::uint32_t>(section.type);
    if (is_added_later(section)) {
        builder.required_memory(section);
        return {};
    }
    const bool is_filled = section.raw_size == 0 && (section.type == SectionType::td_hob ||
                                                     section.type == SectionType::payload_param ||
                                                     section.type == SectionType::payload);
    if (!is_filled) {
        builder.pages(section, image.subspan(section.raw_size == 0 ? 0 : section.data_offset,
                                             section.raw_size));
        return {};
    }
    if (section.type == SectionType::payload || is_measured_parameter(section))
        return refuse(Fault::igvm_section, at, 0, type);
    if (section.memory.size() > max_area_size)
        return refuse(Fault::igvm_area_size, at, max_area_size, section.memory.size());
    builder.parameter(section, section.type == SectionType::td_hob ? HeaderType::memory_map
                                                                   : HeaderType::command_line);
    return {};
}

Result<Builder> build(Bytes image, const tdvf::Metadata& metadata, std::uint64_t data_offset) {
    Builder builder(data_offset);
    builder.platform();
    for (const Section& section : metadata.sections)
        TRY(add_section(builder, section, image, metadata.offset));
    return builder;
}

/// Bounds the number of headers.
Result<void> check_size(const tdvf::Metadata& metadata) {
    std::uint64_t headers = 0;
    for (const Section& section : metadata.sections) {
        // Each is less than 2^52, and there are at most 64.
        headers +=
            section.memory.size() / (is_added_later(section) ? required_memory_step : page_size);
        if (headers > max_pages)
            return refuse(Fault::too_many_entries, metadata.offset, max_pages, headers);
    }
    return {};
}

} // namespace

Result<std::vector<std::byte>> write(Bytes image, const tdvf::Metadata& metadata) {
    TRY(check_size(metadata));
    const std::uint64_t headers = TRY(build(image, metadata, 0)).headers().size();
    // On a page, so that a loader can map the file.
    const std::uint64_t data_offset = *align_up(sizeof(FixedHeader) + headers, page_size);
    const Builder builder = TRY(build(image, metadata, data_offset));
    const std::uint64_t size = data_offset + builder.data().size();
    if (size > std::numeric_limits<std::uint32_t>::max())
        return refuse(Fault::too_many_entries, metadata.offset,
                      std::numeric_limits<std::uint32_t>::max(), size);
    FixedHeader fixed{.magic = magic,
                      .version = version_1,
                      .headers_offset = sizeof(FixedHeader),
                      .headers_size = static_cast<std::uint32_t>(headers),
                      .total_file_size = static_cast<std::uint32_t>(size),
                      .checksum = 0};
    Crc32 checksum;
    checksum.update(bytes_of(fixed));
    checksum.update(builder.headers());
    fixed.checksum = checksum.value();
    std::vector<std::byte> file;
    append(file, bytes_of(fixed));
    append(file, builder.headers());
    file.resize(data_offset);
    append(file, builder.data());
    return file;
}

} // namespace tdshim::igvm
