// SPDX-License-Identifier: Apache-2.0
//
// tools/igvm: what the parser takes from a file, and every way in which it refuses one.
// igvm_writer_test.cpp has the writer.

#include <catch2/catch_test_macros.hpp>

#include "tests/unit/igvm_file.hpp"
#include "tools/igvm/crc32.hpp"
#include "tools/igvm/file.hpp"

namespace tdshim::igvm { namespace {

using namespace tdshim::test;

TEST_CASE("CRC-32 has its check value, in one piece and in two", "[igvm]") {
    const Blob digits = Blob().text("123456789");
    Crc32 whole;
    whole.update(digits.view());
    CHECK(whole.value() == 0xCBF43926);
    Crc32 pieces;
    pieces.update(digits.view().first(4));
    pieces.update(digits.view().subspan(4));
    CHECK(pieces.value() == 0xCBF43926);
    CHECK(Crc32().value() == 0);
}

TEST_CASE("every header of a file is read", "[igvm]") {
    const Blob bytes = good_igvm();
    CHECK(has_magic(bytes.view()));
    const auto file = parse(bytes.view());
    REQUIRE(file.has_value());
    CHECK(file->version == 1);
    REQUIRE(file->platforms.size() == 1);
    CHECK(file->platforms[0].type == PlatformType::tdx);
    CHECK(file->platforms[0].shared_gpa_boundary == 0x800000000000);
    CHECK(file->mask_of(PlatformType::tdx) == 1);
    CHECK(file->mask_of(PlatformType::sev_snp) == 0);
    REQUIRE(file->policies.size() == 1);
    CHECK(file->policies[0].policy == 2);
    REQUIRE(file->directives.size() == 6);
    CHECK(file->directives[5].offset == required_at);

    const auto& page = std::get<PageData>(file->directives[0].body);
    CHECK(page.memory == GpaRange::between({0xFFFFF000}, {0x100000000}));
    CHECK(page.is_measured);
    CHECK(copy_of(file->data_of(page)) == Blob().fill(0x1000, 0xA5).vector());
    const auto& zero = std::get<PageData>(file->directives[1].body);
    CHECK_FALSE(zero.is_measured);
    CHECK(file->data_of(zero).empty());
    CHECK(std::get<ParameterArea>(file->directives[2].body).size == 0x2000);
    const auto& parameter = std::get<Parameter>(file->directives[3].body);
    CHECK(parameter.type == HeaderType::memory_map);
    CHECK(parameter.byte_offset == 0x10);
    CHECK(std::get<ParameterInsert>(file->directives[4].body).memory.size() == 0x2000);
    CHECK(std::get<RequiredMemory>(file->directives[5].body).memory.size() == 0x3000);
}

TEST_CASE("a file of version 2 has two more fields", "[igvm]") {
    const auto file_of = [](std::uint32_t architecture, std::uint32_t size_of_page) {
        const Blob headers = platform_header();
        Blob file;
        file.text("IGVM").u32(2).u32(32).u32(headers.size()).u32(32 + headers.size()).u32(0);
        file.u32(architecture).u32(size_of_page).bytes(headers.view());
        return file.patch(20, 4, crc32_of(file.view()));
    };
    const Blob good = file_of(0, 0x1000);
    const auto file = parse(good.view());
    REQUIRE(file.has_value());
    CHECK(file->version == 2);
    require_refused(parse(file_of(1, 0x1000).view()), Fault::igvm_architecture, 24, 0, 1);
    require_refused(parse(file_of(0, 0x10000).view()), Fault::igvm_architecture, 28, 0x1000,
                    0x10000);
    require_refused(parse(good.view().first(31)), Fault::truncated, 24, 8, 7);
}

TEST_CASE("pages that are treated alike are one run", "[igvm]") {
    Blob headers = platform_header();
    const std::uint64_t data = 24 + 24 + 5 * 32 + 24 + 24;
    headers.bytes(page_header(0x10000, data, 0).view());
    headers.bytes(page_header(0x11000, data, 0).view());
    headers.bytes(page_header(0x12000, data, 2).view());
    headers.bytes(page_header(0x13000, 0, 2).view());
    headers.bytes(area_header(0x1000, 0).view());
    headers.bytes(insert_header(0x14000, 0).view());
    headers.bytes(page_header(0x15000, 0, 4).view());
    const Blob bytes = igvm_of(headers, Blob().fill(0x1000, 1));
    const auto file = parse(bytes.view());
    REQUIRE(file.has_value());
    const auto runs = runs_of(*file);
    REQUIRE(runs.size() == 5);
    CHECK(runs[0].memory == GpaRange::between({0x10000}, {0x12000}));
    CHECK((runs[0].is_measured && !runs[0].is_zero));
    CHECK((!runs[1].is_measured && !runs[1].is_zero));
    CHECK((!runs[2].is_measured && runs[2].is_zero));
    CHECK(runs[3].area == 0);
    CHECK(runs[4].is_shared);
}

TEST_CASE("headers for other platforms are passed over", "[igvm]") {
    Blob headers = platform_header();
    headers.bytes(platform_header(2, 2).view());
    headers.bytes(page_header(0x10000, 0, 0, 1).view());
    headers.bytes(page_header(0x10000, 0, 0, 2, 1).view()); // a secrets page, in SNP's memory
    headers.u32(0x304).u32(20).u64(0x11000).u32(2).u32(0).u16(0).u16(0).u32(0); // VP_CONTEXT
    headers.u32(0x80000777).u32(3).text("new").fill(5, 0);                      // may be ignored
    const Blob bytes = igvm_of(headers, {});
    const auto file = parse(bytes.view());
    REQUIRE(file.has_value());
    REQUIRE(file->directives.size() == 4);
    CHECK(std::get<OtherHeader>(file->directives[2].body).type == 0x304);
    CHECK(std::get<OtherHeader>(file->directives[3].body).length == 3);
}

struct Broken {
    std::size_t at, size;
    std::uint64_t value;
    Fault fault;
    std::uint64_t error_at, expected, found;
};

void require_broken(const Broken& broken) {
    INFO("offset " << broken.at << " set to " << broken.value);
    Blob file = good_igvm();
    file.patch(broken.at, broken.size, broken.value);
    require_refused(parse(sign(file).view()), broken.fault, broken.error_at, broken.expected,
                    broken.found);
}

TEST_CASE("a wrong fixed header is refused", "[igvm]") {
    require_refused(parse({}), Fault::truncated, 0, 24, 0);
    require_refused(parse(good_igvm().view().first(23)), Fault::truncated, 0, 24, 23);
    for (const Broken& broken : {
             Broken{0, 4, 0x4D564748, Fault::igvm_magic, 0, 0x4D564749, 0x4D564748},
             Broken{4, 4, 3, Fault::igvm_version, 4, 2, 3},
             Broken{4, 4, 0, Fault::igvm_version, 4, 2, 0},
             Broken{16, 4, file_end - 1, Fault::igvm_file_size, 16, file_end, file_end - 1},
             Broken{8, 4, 16, Fault::igvm_headers_place, 8, 24, 16},
             Broken{8, 4, 28, Fault::igvm_headers_place, 8, 24, 28}, // not aligned
             Broken{8, 4, 0x10000, Fault::igvm_headers_place, 8, file_end, 0x10000},
         })
        require_broken(broken);
    CHECK_FALSE(has_magic(Blob().text("IGV").view()));
}

TEST_CASE("headers that do not fit, and a wrong checksum, are refused", "[igvm]") {
    constexpr std::uint64_t room = file_end - 24;
    for (const std::uint64_t size : {room + 8, std::uint64_t{0xFFFFFFF8}, std::uint64_t{209}}) {
        Blob file = good_igvm();
        file.patch(12, 4, size);
        require_refused(parse(file.view()), Fault::igvm_headers_place, 12, room, size);
    }
    const Blob good = good_igvm();
    const std::uint32_t checksum = parse(good.view())->checksum;
    for (const std::size_t at : {std::size_t{8}, policy_at + 8, data_at - 1}) {
        Blob file = good_igvm();
        file.patch(at, 1, at == 8 ? 32 : 0x55); // 32: headers without the first one's head
        const auto result = parse(file.view());
        REQUIRE_FALSE(result.has_value());
        CHECK(result.error().fault == Fault::igvm_checksum);
        CHECK(result.error().at == 20);
        CHECK(result.error().found == checksum);
    }
    Blob data = good_igvm();
    data.patch(data_at, 1, 0x55); // data has no checksum
    CHECK(parse(data.view()).has_value());
}

TEST_CASE("a header of a wrong type, length, padding or place is refused", "[igvm]") {
    constexpr std::uint64_t left = data_at - required_at - 8;
    for (const Broken& broken : {
             Broken{page_at, 4, 0x314, Fault::igvm_header_type, page_at, 0, 0x314},
             Broken{page_at, 4, 0, Fault::igvm_header_type, page_at, 0, 0},
             Broken{required_at + 4, 4, left + 1, Fault::igvm_header_length, required_at + 4, left,
                    left + 1},
             Broken{required_at + 4, 4, 0xFFFFFFFF, Fault::igvm_header_length, required_at + 4,
                    left, 0xFFFFFFFF},
             Broken{parameter_at + 4, 4, 7, Fault::igvm_header_length, parameter_at + 4, 8, 7},
             Broken{page_at, 4, 0x101, Fault::igvm_header_length, page_at + 4, 16, 24},
         })
        require_broken(broken);
    Blob padded = good_igvm(); // the shared boundary's last byte becomes padding
    padded.patch(platform_at + 4, 4, 15).patch(platform_at + 23, 1, 9);
    require_refused(parse(sign(padded).view()), Fault::igvm_padding, platform_at + 23, 0, 9);
    Blob late = platform_header();
    late.bytes(page_header(0, 0, 0).view()).u32(0x101).u32(16).u64(0).u32(1).u32(0);
    require_refused(parse(igvm_of(late, {}).view()), Fault::igvm_header_order, 24 + 24 + 32, 0,
                    0x101);
    Blob platform = platform_header();
    platform.u32(0x101).u32(16).u64(0).u32(1).u32(0).bytes(platform_header(2, 2).view());
    require_refused(parse(igvm_of(platform, {}).view()), Fault::igvm_header_order, 72, 0, 1);
    Blob head = platform_header().u32(0x101).u32(0xFFFFFFF0); // nothing behind it
    require_refused(parse(igvm_of(head, {}).view()), Fault::igvm_header_length, 52, 0, 0xFFFFFFF0);
}

TEST_CASE("platforms, masks and reserved fields that are wrong are refused", "[igvm]") {
    for (const Broken& broken : {
             Broken{platform_at + 13, 1, 7, Fault::igvm_platform, platform_at + 13, 6, 7},
             Broken{platform_at + 14, 2, 2, Fault::igvm_platform, platform_at + 14, 1, 2},
             Broken{platform_at + 8, 4, 3, Fault::igvm_platform_mask, platform_at + 8, 0xFFFFFFFF,
                    3},
             Broken{platform_at + 8, 4, 0, Fault::igvm_platform_mask, platform_at + 8, 0xFFFFFFFF,
                    0},
             Broken{policy_at + 16, 4, 2, Fault::igvm_mask, policy_at + 16, 1, 2},
             Broken{policy_at + 20, 4, 1, Fault::igvm_reserved, policy_at + 20, 0, 1},
             Broken{page_at + 16, 4, 0, Fault::igvm_mask, page_at + 16, 1, 0},
             Broken{page_at + 30, 2, 1, Fault::igvm_reserved, page_at + 30, 0, 1},
             Broken{insert_at + 16, 4, 3, Fault::igvm_mask, insert_at + 16, 1, 3},
             Broken{required_at + 16, 4, 4, Fault::igvm_mask, required_at + 16, 1, 4},
             Broken{required_at + 28, 4, 1, Fault::igvm_reserved, required_at + 28, 0, 1},
         })
        require_broken(broken);
    Blob twice = platform_header();
    twice.bytes(platform_header(2, 3).view());
    require_refused(parse(igvm_of(twice, {}).view()), Fault::igvm_platform, 48 + 13, 0, 3);
    Blob same_bit = platform_header();
    same_bit.bytes(platform_header(1, 2).view());
    require_refused(parse(igvm_of(same_bit, {}).view()), Fault::igvm_platform_mask, 56, 0xFFFFFFFE,
                    1);
}

TEST_CASE("pages that cannot be loaded are refused", "[igvm]") {
    for (const Broken& broken : {
             Broken{page_at + 8, 8, 0xFFFFF800, Fault::igvm_alignment, page_at + 8, 0xFFFFF000,
                    0xFFFFF800},
             Broken{page_at + 8, 8, 0xFFFFFFFFFFFFF000, Fault::range_wraps, 0xFFFFFFFFFFFFF000,
                    0xFFF, 0x1000},
             Broken{page_at + 20, 4, data_at - 1, Fault::igvm_data_outside_file, page_at + 20,
                    data_at, data_at - 1},
             Broken{page_at + 20, 4, data_at + 1, Fault::igvm_data_outside_file, page_at + 20,
                    file_end, data_at + 1},
             Broken{page_at + 20, 4, 0xFFFFFFFF, Fault::igvm_data_outside_file, page_at + 20,
                    file_end, 0xFFFFFFFF},
             Broken{page_at + 24, 4, 1, Fault::igvm_page_flags, page_at + 24, 6, 1},
             Broken{page_at + 24, 4, 8, Fault::igvm_page_flags, page_at + 24, 6, 8},
             Broken{page_at + 28, 2, 1, Fault::igvm_page_type, page_at + 28, 0, 1},
             Broken{zero_at + 8, 8, 0xFFFFF000, Fault::igvm_overlap, zero_at, 0x100000000,
                    0xFFFFF000},
             Broken{zero_at + 8, 8, 0x901000, Fault::igvm_overlap, insert_at, 0x902000, 0x901000},
             Broken{required_at + 8, 8, 1, Fault::igvm_alignment, required_at + 8, 0, 1},
             Broken{required_at + 20, 4, 0x1001, Fault::igvm_alignment, required_at + 20, 0x1000,
                    0x1001},
         })
        require_broken(broken);
    Blob snp = platform_header(1, 2);
    snp.bytes(page_header(0, 0, 0, 1, 4).view());
    require_refused(parse(igvm_of(snp, {}).view()), Fault::igvm_page_type, 48 + 28, 3, 4);
}

TEST_CASE("parameter areas that are used wrongly are refused", "[igvm]") {
    for (const Broken& broken : {
             Broken{area_at + 8, 8, 0, Fault::igvm_area_size, area_at + 8, 0x1000000, 0},
             Broken{area_at + 8, 8, 0x1001000, Fault::igvm_area_size, area_at + 8, 0x1000000,
                    0x1001000},
             Broken{area_at + 8, 8, 0x800, Fault::igvm_alignment, area_at + 8, 0, 0x800},
             Broken{area_at + 20, 4, data_at, Fault::igvm_data_outside_file, area_at + 20, file_end,
                    data_at},
             Broken{parameter_at + 8, 4, 8, Fault::igvm_area_index, parameter_at + 8, 0, 8},
             Broken{parameter_at + 12, 4, 0x2000, Fault::igvm_parameter_place, parameter_at + 12,
                    0x2000, 0x2000},
             Broken{insert_at + 20, 4, 6, Fault::igvm_area_index, insert_at + 20, 0, 6},
             Broken{insert_at + 8, 8, 0x900010, Fault::igvm_alignment, insert_at + 8, 0x900000,
                    0x900010},
             Broken{insert_at + 8, 8, 0xFFFFFFFFFFFFE000, Fault::range_wraps, 0xFFFFFFFFFFFFE000,
                    0x1FFF, 0x2000},
         })
        require_broken(broken);
    const Blob start = platform_header().bytes(area_header(0x1000, 7).view());
    Blob declared_twice = start;
    declared_twice.bytes(area_header(0x1000, 7).view());
    require_refused(parse(igvm_of(declared_twice, {}).view()), Fault::igvm_area_index, 72 + 16, 0,
                    7);
    Blob used_after = start;
    used_after.bytes(insert_header(0x1000, 7).view()).u32(0x307).u32(8).u32(7).u32(0);
    require_refused(parse(igvm_of(used_after, {}).view()), Fault::igvm_area_index, 96 + 8, 0, 7);
    Blob inserted_twice = start;
    inserted_twice.bytes(insert_header(0x1000, 7).view()).bytes(insert_header(0x2000, 7).view());
    require_refused(parse(igvm_of(inserted_twice, {}).view()), Fault::igvm_area_index, 96 + 20, 0,
                    7);
}

TEST_CASE("registers for a TD's processor are refused", "[igvm]") {
    Blob headers = platform_header();
    headers.bytes(platform_header(2, 2).view());
    headers.u32(0x304).u32(20).u64(0).u32(3).u32(0).u16(0).u16(0).u32(0);
    require_refused(parse(igvm_of(headers, {}).view()), Fault::igvm_vp_context, 72 + 16, 2, 3);
}

}} // namespace tdshim::igvm
