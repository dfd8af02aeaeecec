// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/tdvf: the rules that parse_metadata checks on the sections of an image.

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/tdvf/metadata.hpp"
#include "tests/unit/tdvf_image.hpp"

namespace tdshim::tdvf { namespace {

using namespace tdshim::test;

/// The good image with one row changed, parsed.
Result<Metadata> parse_with(std::size_t row, const Row& changed) {
    auto rows = good_rows();
    rows.at(row) = changed;
    return parse_metadata(image_of(rows).view());
}

std::size_t row_at(std::size_t row) {
    return sections_at + 32 * row;
}

TEST_CASE("every known section type is taken and named", "[tdvf]") {
    auto rows = good_rows();
    rows.push_back({0, 0, 0x900000, 0x1000, 4, 2});
    rows.push_back({0x1000, 0x1000, 0xA00000, 0x2000, 5, 1});
    rows.push_back({0, 0, 0xB00000, 0x1000, 6, 0});
    rows.push_back({0x1000, 0x10, 0, 0, 7, 0});
    rows.push_back({0xFFF0, 0x10, 0, 0, 8, 0});
    const Blob image = image_of(rows);
    const auto metadata = parse_metadata(image.view());
    REQUIRE(metadata.has_value());
    std::string names;
    for (const Section& section : metadata->sections)
        names += std::string(name_of(section.type)) + " ";
    CHECK(names == "BFV CFV TempMem TD_HOB PermMem Payload PayloadParam TD_INFO TD_PARAMS ");
}

TEST_CASE("more memory than any image needs is refused, in one section or in all", "[tdvf]") {
    require_refused(parse_with(2, {0, 0, std::uint64_t{1} << 40, std::uint64_t{1} << 46, 3, 0}),
                    Fault::section_memory_total, row_at(2) + 16, max_added_memory - 0xF000 - 0x1000,
                    std::uint64_t{1} << 46);
    auto rows = good_rows();
    for (std::uint64_t i = 1; i <= 4; ++i)
        rows.push_back({0, 0, i << 40, GiB, 3, 0});
    CHECK(parse_metadata(image_of(rows).view()).error().fault == Fault::section_memory_total);
    // What is accepted while the TD runs costs nothing before.
    rows = good_rows();
    rows.push_back({0, 0, std::uint64_t{1} << 40, std::uint64_t{1} << 40, 4, 2});
    CHECK(parse_metadata(image_of(rows).view()).has_value());
}

TEST_CASE("an unknown section type is refused", "[tdvf]") {
    require_refused(parse_with(2, {0, 0, 0x810000, 0x10000, 9, 0}), Fault::section_type,
                    row_at(2) + 24, 8, 9);
}

TEST_CASE("section data outside the image is refused", "[tdvf]") {
    require_refused(parse_with(1, {0xFFFFF000, 0x1000, 0xFFFF0000, 0x1000, 1, 0}),
                    Fault::section_data_outside_image, row_at(1), image_size, 0xFFFFF000);
    require_refused(parse_with(0, {0x1000, 0xF001, 0xFFFF1000, 0x10000, 0, 1}),
                    Fault::section_data_outside_image, row_at(0) + 4, 0xF000, 0xF001);
    require_refused(parse_with(0, {0x1000, 0xFFFFFFFF, 0x1000, 0x100000000, 0, 1}),
                    Fault::section_data_outside_image, row_at(0) + 4, 0xF000, 0xFFFFFFFF);
}

TEST_CASE("a section that is not made of whole pages is refused", "[tdvf]") {
    require_refused(parse_with(2, {0, 0, 0x810800, 0x10000, 3, 0}), Fault::section_alignment,
                    row_at(2) + 8, 0x810000, 0x810800);
    require_refused(parse_with(2, {0, 0, 0x810000, 0x10001, 3, 0}), Fault::section_alignment,
                    row_at(2) + 16, 0x10000, 0x10001);
}

TEST_CASE("raw data is present or absent as the type asks", "[tdvf]") {
    require_refused(parse_with(0, {0, 0, 0xFFFF1000, 0xF000, 0, 1}), Fault::section_raw_size,
                    row_at(0) + 4, 1, 0);
    require_refused(parse_with(1, {0, 0, 0xFFFF0000, 0x1000, 1, 0}), Fault::section_raw_size,
                    row_at(1) + 4, 1, 0);
    require_refused(parse_with(2, {0, 8, 0x810000, 0x10000, 3, 0}), Fault::section_raw_size,
                    row_at(2) + 4, 0, 8);
    require_refused(parse_with(3, {0, 8, 0x820000, 0x2000, 2, 0}), Fault::section_raw_size,
                    row_at(3) + 4, 0, 8);
    require_refused(parse_with(2, {0x1000, 0, 0, 0, 7, 0}), Fault::section_raw_size, row_at(2) + 4,
                    1, 0);
}

TEST_CASE("a section has room for its data and does not wrap around", "[tdvf]") {
    require_refused(parse_with(0, {0x1000, 0xF000, 0xFFFF1000, 0xE000, 0, 1}),
                    Fault::section_memory_size, row_at(0) + 16, 0xF000, 0xE000);
    require_refused(parse_with(2, {0, 0, 0xFFFFFFFFFFFFF000, 0x1000, 3, 0}),
                    Fault::section_memory_size, row_at(2) + 16, 0xFFF, 0x1000);
}

TEST_CASE("TD_INFO and TD_PARAMS have no memory and stand in a BFV", "[tdvf]") {
    require_refused(parse_with(2, {0x1000, 0x10, 0x1000, 0, 7, 0}), Fault::section_memory_size,
                    row_at(2) + 8, 0, 0x1000);
    require_refused(parse_with(2, {0x1000, 0x10, 0, 0x1000, 8, 0}), Fault::section_memory_size,
                    row_at(2) + 16, 0, 0x1000);
    require_refused(parse_with(2, {0xFF8, 0x10, 0, 0, 8, 0}), Fault::section_data_outside_bfv,
                    row_at(2), 0, 0xFF8);
}

TEST_CASE("sections that overlap in memory are refused, neighbours are not", "[tdvf]") {
    require_refused(parse_with(3, {0, 0, 0x81F000, 0x2000, 2, 0}), Fault::section_overlap,
                    row_at(3) + 8, 0x820000, 0x81F000);
    CHECK(parse_with(3, {0, 0, 0x820000, 0x2000, 2, 0}).has_value());
}

TEST_CASE("metadata without a TD_HOB is refused", "[tdvf]") {
    require_refused(parse_with(3, {0, 0, 0x820000, 0x2000, 3, 0}), Fault::section_no_td_hob,
                    descriptor_at, 1, 0);
}

}} // namespace tdshim::tdvf
