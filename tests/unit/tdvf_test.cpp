// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/tdvf: footer table, image information and builder. tdvf_sections_test.cpp has the
// rules for sections.

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/tdvf/aml_policy.hpp"
#include "shim/formats/tdvf/builder.hpp"
#include "shim/formats/tdvf/footer.hpp"
#include "shim/formats/tdvf/metadata.hpp"
#include "tests/unit/tdvf_image.hpp"

namespace tdshim::tdvf { namespace {

using namespace tdshim::test;

TEST_CASE("metadata is found by the footer table alone, as in OVMF", "[tdvf]") {
    const Blob image = good_image();
    const auto metadata = parse_metadata(image.view());
    REQUIRE(metadata.has_value());
    CHECK(metadata->offset == descriptor_at);
    CHECK(metadata->found_by_footer);
    CHECK_FALSE(metadata->legacy_pointer.has_value());
    REQUIRE(metadata->sections.size() == 4);
    const Section& bfv = metadata->sections[0];
    CHECK(bfv.type == SectionType::bfv);
    CHECK(bfv.data_offset == 0x1000);
    CHECK(bfv.raw_size == 0xF000);
    CHECK(bfv.memory.start().value == 0xFFFF1000);
    CHECK(bfv.memory.size() == 0xF000);
    CHECK(bfv.attributes == attribute_mr_extend);
    CHECK(metadata->sections[3].type == SectionType::td_hob);
}

TEST_CASE("metadata is found by the pointer where there is no footer table", "[tdvf]") {
    Blob image = good_image();
    image.patch(pointer_at, 4, descriptor_at);
    SECTION("no footer at all") {
        image.patch(footer_length_at + 2, 4, 0);
    }
    SECTION("a table without an entry for TDX") {
        image.patch(entry_length_at + 2, 4, 0);
    }
    const auto metadata = parse_metadata(image.view());
    REQUIRE(metadata.has_value());
    CHECK_FALSE(metadata->found_by_footer);
    CHECK(metadata->legacy_pointer == descriptor_at);
    CHECK(metadata->offset == descriptor_at);
}

TEST_CASE("footer table and pointer may both lead to the metadata, but not apart", "[tdvf]") {
    Blob image = good_image();
    image.patch(pointer_at, 4, descriptor_at);
    const auto metadata = parse_metadata(image.view());
    REQUIRE(metadata.has_value());
    CHECK(metadata->found_by_footer);
    CHECK(metadata->legacy_pointer == descriptor_at);

    image.patch(0x8000, Blob().text("TDVF")).patch(pointer_at, 4, 0x8000);
    require_refused(parse_metadata(image.view()), Fault::metadata_pointer, pointer_at,
                    descriptor_at, 0x8000);
}

TEST_CASE("an image without a footer table is refused", "[tdvf]") {
    Blob image;
    image.fill(49, 0);
    require_refused(parse_metadata(image.view()), Fault::truncated, 0, 50, 49);
    image.fill(1, 0);
    require_refused(parse_metadata(image.view()), Fault::footer_missing, 2, 0x96b582de, 0);
    require_refused(find_table_entry({}, footer_guid), Fault::truncated, 0, 50, 0);
}

TEST_CASE("a footer table of a wrong length is refused", "[tdvf]") {
    Blob image = good_image();
    image.patch(footer_length_at, 2, 17);
    require_refused(parse_metadata(image.view()), Fault::footer_table_length, footer_length_at, 18,
                    17);
    // Longer than what is there: only the last 0x60 bytes of the image.
    image.patch(footer_length_at, 2, 0x41);
    require_refused(find_table_entry(image.view().last(0x60), metadata_entry_guid),
                    Fault::footer_table_length, 0x2E, 0x40, 0x41);
}

TEST_CASE("a footer table may begin with the image", "[tdvf]") {
    const Blob image = good_image();
    const auto data = find_table_entry(image.view().subspan(entry_data_at), metadata_entry_guid);
    REQUIRE(data.has_value());
    REQUIRE(data->has_value());
    CHECK(copy_of(**data) == Blob().u32(image_size - descriptor_at).vector());
}

TEST_CASE("an entry of a wrong length is refused", "[tdvf]") {
    Blob image = good_image();
    SECTION("shorter than its own tail") {
        image.patch(entry_length_at, 2, 17);
        require_refused(parse_metadata(image.view()), Fault::footer_entry_length, entry_length_at,
                        18, 17);
    }
    SECTION("longer than the table") {
        image.patch(entry_length_at, 2, 23);
        require_refused(parse_metadata(image.view()), Fault::footer_entry_length, entry_length_at,
                        22, 23);
    }
    SECTION("a rest that holds no entry") {
        image.patch(entry_length_at, 2, 21).patch(entry_length_at + 2, 4, 0);
        require_refused(parse_metadata(image.view()), Fault::footer_entry_length, entry_data_at, 18,
                        1);
    }
    SECTION("of the right GUID, but not four bytes of data") {
        image.patch(entry_length_at, 2, 21);
        require_refused(parse_metadata(image.view()), Fault::footer_entry_length, entry_data_at + 1,
                        4, 3);
    }
}

TEST_CASE("entries are found in any order", "[tdvf]") {
    Blob image = good_image();
    Blob table;
    table.u8(0x42).u16(19).dump(other_bytes);
    table.u32(image_size - descriptor_at).u16(22).dump(entry_bytes);
    table.u16(18).dump(image_info_bytes); // an entry without data
    table.u16(19 + 22 + 18 + 18).dump(footer_bytes);
    image.patch(image_size - 0x20 - table.size(), table);
    const auto other = find_table_entry(image.view(), "33221100-5544-7766-8899-aabbccddeeff"_guid);
    REQUIRE(other.has_value());
    REQUIRE(other->has_value());
    CHECK(copy_of(**other) == Blob().u8(0x42).vector());
    CHECK(parse_metadata(image.view()).has_value());
    const auto absent = find_table_entry(image.view(), metadata_guid);
    REQUIRE(absent.has_value());
    CHECK_FALSE(absent->has_value());
}

TEST_CASE("a table without an entry for TDX is refused", "[tdvf]") {
    Blob image = good_image();
    image.patch(entry_length_at + 2, 4, 0);
    require_refused(parse_metadata(image.view()), Fault::footer_no_metadata, image_size - 0x20, 0,
                    0);
}

TEST_CASE("metadata outside the image is refused", "[tdvf]") {
    Blob image = good_image();
    SECTION("before its start") {
        image.patch(entry_data_at, 4, image_size + 1);
        require_refused(parse_metadata(image.view()), Fault::metadata_outside_image, entry_data_at,
                        image_size, image_size + 1);
    }
    SECTION("too near to its end for a descriptor") {
        image.patch(entry_data_at, 4, 15);
        require_refused(parse_metadata(image.view()), Fault::metadata_outside_image, entry_data_at,
                        image_size, 15);
    }
    SECTION("sections that run past its end") {
        Blob descriptor;
        descriptor.text("TDVF").u32(16 + 32 * 8).u32(1).u32(8);
        image.patch(0xFF00, descriptor).patch(entry_data_at, 4, 0x100);
        require_refused(parse_metadata(image.view()), Fault::metadata_outside_image, 0xFF00, 0x110,
                        0x100);
    }
}

TEST_CASE("a wrong descriptor is refused", "[tdvf]") {
    Blob image = good_image();
    SECTION("signature") {
        image.patch(descriptor_at, 4, 0x46564453);
        require_refused(parse_metadata(image.view()), Fault::metadata_signature, descriptor_at,
                        0x46564454, 0x46564453);
    }
    SECTION("version") {
        image.patch(descriptor_at + 8, 4, 2);
        require_refused(parse_metadata(image.view()), Fault::metadata_version, descriptor_at + 8, 1,
                        2);
    }
    SECTION("no section") {
        image.patch(descriptor_at + 12, 4, 0);
        require_refused(parse_metadata(image.view()), Fault::section_count, descriptor_at + 12, 64,
                        0);
    }
    SECTION("too many sections") {
        image.patch(descriptor_at + 12, 4, 65).patch(descriptor_at + 4, 4, 16 + 32 * 65);
        require_refused(parse_metadata(image.view()), Fault::section_count, descriptor_at + 12, 64,
                        65);
    }
    SECTION("length") {
        image.patch(descriptor_at + 4, 4, 16 + 32 * 4 + 16);
        require_refused(parse_metadata(image.view()), Fault::metadata_length, descriptor_at + 4,
                        16 + 32 * 4, 16 + 32 * 4 + 16);
    }
}

// The last 0x1000 bytes of an image with image information of these numbers, whose data stands at
// 0xFAC.
Blob tail_with_info(std::uint32_t size, std::uint32_t from_end, std::uint32_t payload,
                    std::uint32_t options = 0) {
    Blob tail;
    tail.fill(0x1000, 0);
    Blob table;
    table.u32(size).u32(from_end).u32(payload).u32(options);
    table.u16(16 + 18).dump(image_info_bytes);
    table.u16(34 + 18).dump(footer_bytes);
    return tail.patch(0x1000 - 0x20 - table.size(), table);
}

TEST_CASE("image information is read from the last page alone", "[tdvf]") {
    const Blob tail = tail_with_info(0x40000, 0x30000, 0x1234);
    const auto info = find_image_info(tail.view());
    REQUIRE(info.has_value());
    REQUIRE(info->has_value());
    CHECK((*info)->image_size == 0x40000);
    CHECK((*info)->payload_from_end == 0x30000);
    CHECK((*info)->payload_size == 0x1234);
    CHECK(find_image_info(tail_with_info(0x40000, 0, 0).view()).has_value());
    const auto foreign = find_image_info(good_image().view());
    REQUIRE(foreign.has_value());
    CHECK_FALSE(foreign->has_value());
}

TEST_CASE("image information that cannot be true is refused", "[tdvf]") {
    require_refused(find_image_info(tail_with_info(0xFFF, 0, 0).view()), Fault::image_info_size,
                    0xFAC, 0x1000, 0xFFF);
    require_refused(find_image_info(tail_with_info(0x40000, 0x40001, 1).view()),
                    Fault::payload_outside_image, 0xFAC, 0x40000, 0x40001);
    require_refused(find_image_info(tail_with_info(0x40000, 0x1000, 0x1001).view()),
                    Fault::payload_outside_image, 0xFAC, 0x1000, 0x1001);
    require_refused(find_image_info(tail_with_info(0x40000, 0, 1).view()),
                    Fault::payload_outside_image, 0xFAC, 0, 1);
    for (const std::uint32_t options : {0U, 1U, 2U, 3U, 4U, 7U, 8U, 16U, 24U, 29U, 32U, 61U})
        CHECK(find_image_info(tail_with_info(0x40000, 0, 0, options).view()).has_value());
    require_refused(find_image_info(tail_with_info(0x40000, 0, 0, 64).view()), Fault::image_options,
                    0xFAC, 63, 64);
    for (const std::uint32_t options : {10U, 18U, 26U}) // static tables, and a policy for others
        require_refused(find_image_info(tail_with_info(0x40000, 0, 0, options).view()),
                        Fault::image_aml_policy, 0xFAC, 2, options);
    Blob shorter = tail_with_info(0x40000, 0, 0);
    shorter.patch(0xFBC, 2, 33);
    require_refused(find_image_info(shorter.view()), Fault::footer_entry_length, 0xFAD, 16, 15);
}

TEST_CASE("a policy for AML stands in two bits of the options", "[tdvf]") {
    using enum AmlPolicy;
    const std::pair<AmlPolicy, std::string_view> policies[] = {
        {measured, "measured"}, {refuse, "refuse"}, {drop, "drop"}, {enrolled, "enrolled"}};
    std::uint32_t bits = 0;
    for (const auto& [policy, name] : policies) {
        CHECK(option_of(policy) == bits);
        CHECK(aml_policy_of(bits | 7) == policy);
        CHECK(name_of(policy) == name);
        bits += 8;
    }
}

std::vector<Section> sections_of(const Blob& image) {
    const auto metadata = parse_metadata(image.view());
    REQUIRE(metadata.has_value());
    return {metadata->sections.begin(), metadata->sections.end()};
}

TEST_CASE("the builder writes the bytes of the specification", "[tdvf]") {
    const auto sections = sections_of(good_image());
    std::vector<std::byte> image(image_size, std::byte{0x5A});
    const ImageInfo info{
        .image_size = image_size, .payload_from_end = 0x8000, .payload_size = 0x77, .options = 1};
    const auto offset = write_metadata(image, 0x400, sections, info);
    REQUIRE(offset.has_value());
    CHECK(*offset == 0xFC10);

    Blob expected;
    expected.dump(metadata_bytes).text("TDVF").u32(16 + 32 * 4).u32(1).u32(4);
    for (const Row& row : good_rows())
        expected.u32(row.offset)
            .u32(row.raw)
            .u64(row.address)
            .u64(row.size)
            .u32(row.type)
            .u32(row.attributes);
    CHECK(copy_of(Bytes(image).subspan(0xFC00, expected.size())) == expected.vector());

    Blob end; // the unused middle, the table, the pointer, and the last 0x1C bytes
    end.fill(4, 0x5A);
    end.u32(image_size).u32(0x8000).u32(0x77).u32(1).u16(34).dump(image_info_bytes);
    end.u32(0x10000 - 0xFC10).u16(22).dump(entry_bytes).u16(74).dump(footer_bytes);
    end.u32(0xFC10).fill(0x1C, 0x5A);
    CHECK(copy_of(Bytes(image).last(end.size())) == end.vector());

    const auto parsed = parse_metadata(image);
    REQUIRE(parsed.has_value());
    CHECK(parsed->found_by_footer);
    CHECK(parsed->legacy_pointer == 0xFC10);
    CHECK(parsed->sections.size() == 4);
}

TEST_CASE("the builder takes a room that is just large enough, and no smaller one", "[tdvf]") {
    const auto sections = sections_of(good_image());
    std::vector<std::byte> image(image_size);
    constexpr std::size_t needed = 16 + 16 + 32 * 4 + 74 + 0x20;
    CHECK(write_metadata(image, needed, sections, {}).has_value());
    require_refused(write_metadata(image, needed - 1, sections, {}), Fault::reset_vector_slot,
                    image_size - (needed - 1), 16 + 16 + 32 * 4 - 1, 16 + 16 + 32 * 3);
    require_refused(write_metadata(image, 74 + 0x20 - 1, sections, {}), Fault::reset_vector_slot,
                    image_size, 74 + 0x20, 74 + 0x20 - 1);
    require_refused(write_metadata(image, image_size + 1, sections, {}), Fault::reset_vector_slot,
                    image_size, 74 + 0x20, image_size + 1);
}

}} // namespace tdshim::tdvf
