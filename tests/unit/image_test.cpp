// SPDX-License-Identifier: Apache-2.0
//
// linker/image and linker/profile: the image that shim-ld stitches, and what QEMU wants of it.

#include <catch2/catch_test_macros.hpp>

#include "linker/image.hpp"
#include "linker/profile.hpp"
#include "shim/formats/tdvf/footer.hpp"
#include "tests/unit/firmware_elf.hpp"

namespace tdshim::linker { namespace {

using namespace tdshim::test;

Blob good_reset_vector() {
    Blob vector;
    vector.fill(layout::reset_vector_size - layout::link_room_from_end, 0xEE);
    return vector.fill(layout::link_room_size, 0).fill(0x10, 0xE9);
}

TEST_CASE("a reset vector of a wrong size or with a full link room is refused", "[image]") {
    const Blob good = good_reset_vector();
    CHECK(check_reset_vector(good.view()).has_value());
    require_refused(check_reset_vector(good.view().subspan(1)), Fault::reset_vector_size,
                    layout::reset_vector_size - 1, layout::reset_vector_size,
                    layout::reset_vector_size - 1);
    for (const std::uint64_t from_end : {layout::link_room_from_end, std::uint64_t{0x11}}) {
        Blob full = good_reset_vector();
        full.patch(layout::reset_vector_size - from_end, 1, 0x90);
        require_refused(check_reset_vector(full.view()), Fault::reset_vector_slot,
                        layout::reset_vector_size - from_end, 0, 0x90);
    }
}

TEST_CASE("an image grows by 64 KiB up to 16 MiB", "[image]") {
    CHECK(image_size(std::nullopt) == layout::min_image_size);
    const auto size_with = [](std::size_t payload) {
        return image_size(std::vector<std::byte>(payload));
    };
    CHECK(size_with(1) == layout::min_image_size + 64 * KiB);
    CHECK(size_with(64 * KiB) == layout::min_image_size + 64 * KiB);
    CHECK(size_with(64 * KiB + 1) == layout::min_image_size + 128 * KiB);
    const std::uint64_t room = layout::max_image_size - layout::min_image_size;
    CHECK(size_with(room) == layout::max_image_size);
    require_refused(size_with(room + 1), Fault::payload_size, 0, room, room + 1);
    require_refused(size_with(0), Fault::payload_size, 0, 1, 0);
}

Result<Image> link_contents(const Contents& contents) {
    const Blob file = good_elf();
    const auto shim = parse_shim(file.view());
    REQUIRE(shim.has_value());
    const Blob vector = good_reset_vector();
    return link(vector.view(), *shim, contents);
}

Image link_good(const Contents& contents) {
    auto image = link_contents(contents);
    REQUIRE(image.has_value());
    return *std::move(image);
}

Contents contents_with(std::optional<Bytes> payload, Profile profile = Profile::qemu) {
    Contents contents{};
    contents.payload = payload;
    contents.plan.profile = profile;
    contents.plan.payload_memory = GpaRange::of<192 * MiB, 64 * MiB>();
    contents.plan.permanent_memory = 64 * MiB;
    return contents;
}

/// "BFV measured, CFV, ..." in their order.
std::string sections_text(const Image& image) {
    std::string text;
    for (const tdvf::Section& section : image.metadata.sections)
        text += std::string(tdvf::name_of(section.type)) + (section.raw_size != 0 ? "+" : "") +
                ((section.attributes & tdvf::attribute_mr_extend) != 0 ? "*" : "") + " ";
    return text;
}

TEST_CASE("every part of an image stands at its place", "[image]") {
    const Blob payload = Blob().fill(0x1801, 0x77);
    const Image image = link_good(contents_with(payload.view()));
    const Bytes bytes(image.bytes);
    const std::uint64_t size = layout::min_image_size + 64 * KiB;
    REQUIRE(bytes.size() == size);
    Blob expected;
    expected.fill(layout::cfv_size, 0).fill(0x1801, 0x77).fill(0x2000 - 0x1801, 0);
    expected.fill(64 * KiB - 0x2000, 0xFF);
    expected.fill(0x20, 0xC0).fill(0xFE0, 0xFF).fill(0x10, 0xDA).fill(0x10, 0);
    expected.fill(layout::shim_rom_size - 0x1020, 0xFF);
    expected.fill(layout::reset_vector_size - layout::link_room_from_end, 0xEE);
    CHECK(copy_of(bytes.first(size - layout::link_room_from_end)) == expected.vector());
    Blob slots;
    slots.u32(0x1020).u64(code + 4).fill(0x10, 0xE9);
    CHECK(copy_of(bytes.last(0x1C)) == slots.vector());
    const auto info = tdvf::find_image_info(bytes.last(page_size));
    REQUIRE(info.has_value());
    REQUIRE(info->has_value());
    CHECK((*info)->image_size == size);
    CHECK((*info)->payload_from_end == size - layout::cfv_size);
    CHECK((*info)->payload_size == 0x1801);
}

TEST_CASE("the regions of an image cover it without gaps", "[image]") {
    const Blob payload = Blob().fill(64 * KiB, 0x77); // leaves no unused room behind it
    for (const Image& image : {link_good({}), link_good(contents_with(payload.view()))}) {
        std::uint64_t offset = 0;
        for (const Region& region : image.regions) {
            CHECK(region.offset == offset);
            CHECK_FALSE(region.memory.empty());
            CHECK(region.memory.start().value ==
                  layout::image_end - image.bytes.size() + region.offset);
            offset += region.memory.size();
        }
        CHECK(offset == image.bytes.size());
    }
}

TEST_CASE("what QEMU cannot load breaks its profile", "[profile]") {
    const tdvf::Metadata good = link_good({}).metadata;
    Plan plan;
    plan.image_size = layout::min_image_size;
    CHECK(check_profile(plan, good).has_value());
    tdvf::Metadata type = good;
    type.sections[2].type = tdvf::SectionType::perm_mem;
    require_refused(check_profile(plan, type), Fault::section_type, good.offset + 16 + 2 * 32, 3,
                    4);
    tdvf::Metadata pointer = good;
    pointer.legacy_pointer.reset();
    require_refused(check_profile(plan, pointer), Fault::metadata_pointer, good.offset, good.offset,
                    0);
}

// "+": with data in the image, "*": extended into MRTD.
TEST_CASE("each profile has its sections", "[profile]") {
    const Blob payload = Blob().fill(0x1801, 0x77);
    const std::string shim = "TempMem TempMem TempMem* ";
    CHECK(sections_text(link_good(contents_with(payload.view()))) ==
          "BFV+* CFV+* " + shim + "TD_HOB TempMem ");
    CHECK(sections_text(link_good(contents_with({}, Profile::tdvf_payload))) ==
          "BFV+* CFV+* " + shim + "TD_HOB TempMem Payload* PayloadParam ");
    CHECK(sections_text(link_good(contents_with(payload.view(), Profile::tdvf_payload))) ==
          "BFV+* CFV+* " + shim + "TD_HOB TempMem Payload+* PayloadParam ");
    CHECK(sections_text(link_good(contents_with(payload.view(), Profile::service_td))) ==
          "BFV+* CFV+* " + shim + "TempMem PermMem PermMem PermMem PermMem Payload+* ");
}

TEST_CASE("a payload that MRTD leaves out is in no extended section", "[profile]") {
    const Blob payload = Blob().fill(0x1801, 0x77);
    for (const Profile profile : {Profile::qemu, Profile::tdvf_payload, Profile::service_td}) {
        Contents contents = contents_with(payload.view(), profile);
        contents.plan.extends_payload = false;
        for (const tdvf::Section& section : link_good(contents).metadata.sections) {
            const bool holds_payload = section.data_offset < layout::cfv_size + 0x1801 &&
                                       section.data_offset + section.raw_size > layout::cfv_size;
            if (holds_payload)
                CHECK((section.attributes & tdvf::attribute_mr_extend) == 0);
        }
    }
}

TEST_CASE("TD_INFO and TD_PARAMS stand in the BFV", "[profile]") {
    const Blob info = Blob().fill(0x30, 0x11);
    const Blob params = Blob().fill(0x40, 0x22);
    Contents contents = contents_with(Blob().fill(1, 0).view(), Profile::service_td);
    const Blob payload = Blob().fill(1, 0x77);
    contents.payload = payload.view();
    contents.td_info = info.view();
    contents.td_params = params.view();
    const Image image = link_good(contents);
    for (const auto& [type, blob] : {std::pair{tdvf::SectionType::td_info, info},
                                     std::pair{tdvf::SectionType::td_params, params}}) {
        const tdvf::Section* const section = image.metadata.find(type);
        REQUIRE(section != nullptr);
        CHECK(section->memory.empty());
        CHECK(copy_of(Bytes(image.bytes).subspan(section->data_offset, section->raw_size)) ==
              blob.vector());
    }
    const Blob large = Blob().fill(max_info_size + 1, 0);
    contents.td_info = large.view();
    require_refused(link_contents(contents), Fault::td_info_size, 0, max_info_size,
                    max_info_size + 1);
    // QEMU knows neither type.
    contents.td_info = info.view();
    contents.plan.profile = Profile::qemu;
    CHECK(link_contents(contents).error().fault == Fault::section_type);
}

TEST_CASE("a service TD has a payload in its image", "[profile]") {
    require_refused(link_contents(contents_with({}, Profile::service_td)), Fault::payload_size, 0,
                    1, 0);
}

}} // namespace tdshim::linker
