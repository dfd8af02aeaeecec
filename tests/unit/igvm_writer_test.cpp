// SPDX-License-Identifier: Apache-2.0
//
// tools/igvm/writer: the file that is made of an image, byte by byte, and what IGVM cannot say.

#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "tests/unit/igvm_file.hpp"
#include "tools/igvm/file.hpp"
#include "tools/igvm/writer.hpp"

namespace tdshim::igvm { namespace {

using namespace tdshim::test;
using tdvf::Section;
using tdvf::SectionType;

constexpr std::uint32_t descriptor_offset = 0x444;

Section section(SectionType type, std::uint64_t address, std::uint64_t size,
                std::uint32_t attributes = 0, std::uint32_t data = 0, std::uint32_t raw = 0) {
    return {.type = type,
            .data_offset = data,
            .raw_size = raw,
            .memory = GpaRange::between({address}, {address + size}),
            .attributes = attributes};
}

tdvf::Metadata metadata_of(std::initializer_list<Section> sections) {
    tdvf::Metadata metadata;
    metadata.offset = descriptor_offset;
    for (const Section& each : sections)
        REQUIRE(metadata.sections.push(each));
    return metadata;
}

TEST_CASE("the writer writes the bytes of the definitions", "[igvm]") {
    const Blob image = Blob().fill(0x1000, 0).fill(0x1000, 0xBB).fill(0x800, 0xCC);
    const auto file =
        write(image.view(), metadata_of({
                                section(SectionType::bfv, 0xFFFFD000, 0x3000,
                                        tdvf::attribute_mr_extend, 0x1000, 0x1800),
                                section(SectionType::cfv, 0x10000, 0x2000, 0, 0, 0x2000),
                                section(SectionType::td_hob, 0x20000, 0x2000),
                                section(SectionType::temp_mem, 0x30000, 0x1000),
                            }));
    REQUIRE(file.has_value());

    Blob headers = platform_header();
    headers.u32(0x101).u32(16).u64(2).u32(1).u32(0);
    headers.bytes(page_header(0xFFFFD000, 0x1000, 0).view());
    headers.bytes(page_header(0xFFFFE000, 0x2000, 0).view()); // half data, half zeros
    headers.bytes(page_header(0xFFFFF000, 0, 0).view());
    headers.bytes(page_header(0x10000, 0, 2).view());
    headers.bytes(page_header(0x11000, 0x1000, 2).view()); // a page that stands there already
    headers.bytes(area_header(0x2000, 0).view()).u32(0x30C).u32(8).u32(0).u32(0);
    headers.bytes(insert_header(0x20000, 0).view());
    headers.bytes(page_header(0x30000, 0, 2).view());
    Blob data;
    data.fill(0x1000 - 24 - headers.size(), 0);
    data.fill(0x1000, 0xBB).fill(0x800, 0xCC).fill(0x800, 0);
    CHECK(*file == igvm_of(headers, data).vector());
    CHECK(parse(*file).has_value());
}

TEST_CASE("what a VMM adds later or fills is said as far as IGVM can", "[igvm]") {
    const auto file =
        write({}, metadata_of({
                      section(SectionType::td_info, 0, 0, 0, 0, 0),
                      section(SectionType::perm_mem, 0x1000000, 3 * GiB, tdvf::attribute_page_aug),
                      section(SectionType::payload_param, 0x5000, 0x1000),
                  }));
    REQUIRE(file.has_value());
    const auto parsed = parse(*file);
    REQUIRE(parsed.has_value());
    REQUIRE(parsed->directives.size() == 3 + 3);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto& required = std::get<RequiredMemory>(parsed->directives[i].body);
        CHECK(required.memory.start().value == 0x1000000 + i * GiB);
        CHECK(required.memory.size() == GiB);
    }
    CHECK(std::get<Parameter>(parsed->directives[4].body).type == HeaderType::command_line);
    CHECK(std::get<ParameterInsert>(parsed->directives[5].body).memory.start().value == 0x5000);
}

TEST_CASE("what IGVM cannot say is refused", "[igvm]") {
    require_refused(write({}, metadata_of({section(SectionType::payload, 0, 0x1000)})),
                    Fault::igvm_section, descriptor_offset, 0, 5);
    require_refused(write({}, metadata_of({section(SectionType::td_hob, 0, 0x1000,
                                                   tdvf::attribute_mr_extend)})),
                    Fault::igvm_section, descriptor_offset, 0, 2);
    require_refused(write({}, metadata_of({section(SectionType::td_hob, 0, 17 * MiB)})),
                    Fault::igvm_area_size, descriptor_offset, 16 * MiB, 17 * MiB);
    require_refused(write({}, metadata_of({section(SectionType::temp_mem, 0, 2 * GiB),
                                           section(SectionType::temp_mem, 2 * GiB, 3 * GiB)})),
                    Fault::too_many_entries, descriptor_offset, 1 << 20, 5 << 18);
    constexpr std::uint64_t everything = align_down(std::numeric_limits<std::uint64_t>::max(), GiB);
    require_refused(write({}, metadata_of({section(SectionType::perm_mem, 0, everything,
                                                   tdvf::attribute_page_aug)})),
                    Fault::too_many_entries, descriptor_offset, 1 << 20, everything / GiB);
    const Blob kernel = Blob().fill(0x1000, 0x4D);
    CHECK(
        write(kernel.view(), metadata_of({section(SectionType::payload, 0, 0x1000, 0, 0, 0x1000)}))
            .has_value());
}

}} // namespace tdshim::igvm
