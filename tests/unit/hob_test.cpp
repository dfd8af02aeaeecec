// SPDX-License-Identifier: Apache-2.0
//
// shim/formats/hob: what a list may look like, and which memory it means.

#include <catch2/catch_test_macros.hpp>

#include "shim/formats/hob/hob.hpp"
#include "shim/formats/hob/list_writer.hpp"
#include "tests/unit/hob_blob.hpp"

namespace tdshim::hob { namespace {

using namespace tdshim::test;

constexpr Gpa limit{std::uint64_t{1} << 47};

Result<TdHob> parse_blob(const Blob& list) {
    return parse(list.view(), {hob_base}, limit);
}

std::string text_of(const Result<TdHob>& list) {
    REQUIRE(list.has_value());
    std::string text;
    for (const Memory& memory : list->memory)
        text += std::to_string(memory.range.start().value / MiB) + "-" +
                std::to_string(memory.range.end().value / MiB) + (memory.is_accepted ? "a " : "u ");
    return text;
}

TEST_CASE("type 7 is unaccepted memory, type 0 what the VMM added", "[hob]") {
    const Blob list = hob_list({{7, 11 * MiB, 100 * MiB},
                                {0, 8 * MiB, 3 * MiB},
                                {7, 0, 8 * MiB},
                                {5, 200 * MiB, MiB},
                                {1, 0xE000'0000, 0x1000'0000},
                                {7, 4 * GiB, 2 * GiB}});
    CHECK(text_of(parse_blob(list)) == "0-8u 8-11a 11-111u 4096-6144u ");
}

TEST_CASE("without type 7, type 0 is unaccepted memory and type 5 what the VMM added", "[hob]") {
    const Blob list = hob_list({{0, 0, 8 * MiB}, {5, 8 * MiB, 3 * MiB}, {0, 11 * MiB, 5 * MiB}});
    CHECK(text_of(parse_blob(list)) == "0-8u 8-11a 11-16u ");
}

TEST_CASE("the list ends with its end-of-list HOB, whatever follows", "[hob]") {
    Blob list = hob_list({{7, 0, MiB}});
    const std::size_t size = list.size();
    list.fill(4096, 0xEE);
    CHECK(list_size(list.view()) == size);
    CHECK(text_of(parse_blob(list)) == "0-1u ");
}

TEST_CASE("the PHIT may name the end-of-list HOB itself or the address behind it", "[hob]") {
    Blob list = hob_list({{7, 0, MiB}});
    const std::uint64_t end = hob_base + list.size();
    CHECK(parse_blob(list.patch(48, 8, end - 8)).has_value());
    for (const std::uint64_t wrong : {end + 8, end - 16, std::uint64_t{0}})
        require_refused(parse_blob(list.patch(48, 8, wrong)), Fault::hob_end, 48, end, wrong);
}

TEST_CASE("the memory map of an IGVM loader, in a TD HOB's place, is refused", "[hob]") {
    for (const unsigned first_page : {0U, 1U, 9U}) { // 1 and 9 look like types of HOBs
        Blob map;
        map.u64(first_page).u64(0x80000).u16(0).u16(0).u32(0).fill(0x1000, 0);
        const auto size = list_size(map.view());
        REQUIRE_FALSE(size.has_value());
        CHECK(size.error().fault == Fault::hob_length);
        CHECK_FALSE(parse_blob(map).has_value());
    }
}

TEST_CASE("a HOB without whole padding is followed at the next multiple of 8", "[hob]") {
    const Blob guid = Blob().u16(4).u16(36).u32(0).fill(28, 0x11).fill(4, 0);
    CHECK(text_of(parse_blob(hob_list({{7, 0, MiB}}, guid))) == "0-1u ");
}

/// A list with a HOB of this GUID, and so many bytes of zeros in it.
Blob list_with(const Guid& name, std::size_t size) {
    return hob_list({{7, 0, MiB}},
                    Blob().u16(4).u16(24 + size).u32(0).bytes(bytes_of(name)).fill(size, 0));
}

TEST_CASE("what announces payload and initrd has the sizes that VMMs give it", "[hob]") {
    const std::size_t at = list_with(payload_info_guid, 0).size() - 8 - 24;
    for (const std::size_t size : {0U, 8U, 24U, 32U})
        require_refused(parse_blob(list_with(payload_info_guid, size)), Fault::hob_payload_info, at,
                        sizeof(PayloadInfo), size);
    for (const std::size_t size : {0U, 8U, 24U})
        require_refused(parse_blob(list_with(initrd_info_guid, size)), Fault::hob_initrd_info, at,
                        sizeof(InitrdInfo), size);
}

TEST_CASE("a list that its place cannot hold is none", "[hob]") {
    std::array<std::byte, 256> area{};
    ListWriter list(area);
    for (int i = 0; i < 5; ++i)
        list.resource(GpaRange::of<0, 1 << 20>(), ResourceType::system_memory, 0);
    const auto size = list.finish({hob_base});
    REQUIRE_FALSE(size.has_value());
    CHECK(size.error().fault == Fault::hob_list_full);
    CHECK(size.error().expected == area.size());
    CHECK(std::ranges::all_of(Bytes(area).first(sizeof(Handoff)),
                              [](std::byte byte) { return byte == std::byte{0}; }));
}

TEST_CASE("I/O resources are no memory, and may overlap it in number", "[hob]") {
    CHECK(text_of(parse_blob(hob_list({{7, 0, MiB}, {2, 0x60, 5}, {6, 0, 0x10}, {4, 1, 2}}))) ==
          "0-1u ");
}

TEST_CASE("a list that does not begin with a PHIT is refused", "[hob]") {
    Blob list = hob_list({});
    require_refused(parse_blob(list.patch(0, 2, 3)), Fault::hob_no_handoff, 0, 0, 0);
    Blob longer = hob_list({});
    require_refused(parse_blob(longer.patch(2, 2, 64)), Fault::hob_no_handoff, 0, 0, 0);
    require_refused(parse(Bytes{}, {hob_base}, limit), Fault::truncated, 0, 8, 0);
}

TEST_CASE("a HOB that is shorter than its header or reaches outside is refused", "[hob]") {
    Blob shorter = hob_list({{7, 0, MiB}});
    require_refused(parse_blob(shorter.patch(58, 2, 7)), Fault::hob_length, 58, 8, 7);
    Blob zero = hob_list({{7, 0, MiB}});
    require_refused(parse_blob(zero.patch(58, 2, 0)), Fault::hob_length, 58, 8, 0);
    Blob outside = hob_list({{7, 0, MiB}});
    require_refused(parse_blob(outside.patch(58, 2, 0x100)), Fault::truncated, 64, 0xF8, 48);
    Blob resource = hob_list({{7, 0, MiB}}, Blob().fill(8, 0));
    require_refused(parse_blob(resource.patch(58, 2, 56)), Fault::hob_length, 56, 48, 56);
    Blob end = hob_list({});
    require_refused(parse_blob(end.patch(58, 2, 16).fill(8, 0)), Fault::hob_length, 58, 8, 16);
}

TEST_CASE("a list without end is refused", "[hob]") {
    Blob list = hob_list({{7, 0, MiB}});
    list.resize(list.size() - 8);
    require_refused(parse_blob(list), Fault::truncated, 104, 8, 0);
    require_refused(list_size(list.view()), Fault::truncated, 104, 8, 0);
}

TEST_CASE("HOBs of unknown kinds and a second PHIT are refused", "[hob]") {
    require_refused(parse_blob(hob_list({}, Blob().u16(0x55).u16(8).u32(0))), Fault::hob_type, 56,
                    0, 0x55);
    require_refused(parse_blob(hob_list({}, hob_phit(0))), Fault::hob_type, 56, 0, 1);
    require_refused(parse_blob(hob_list({}, Blob().u16(6).u16(16).u32(1).u64(0))),
                    Fault::hob_reserved, 60, 0, 1);
}

TEST_CASE("memory that is no memory is refused", "[hob]") {
    require_refused(parse_blob(hob_list({{8, 0, MiB}})), Fault::hob_resource_type, 56, 7, 8);
    require_refused(parse_blob(hob_list({{7, 0, 0}})), Fault::hob_resource_empty, 56, 0, 0);
    require_refused(parse_blob(hob_list({{7, 0x800, MiB}})), Fault::hob_resource_alignment, 56,
                    0x1000, MiB + 0x800);
    require_refused(parse_blob(hob_list({{7, 0, 0x1234}})), Fault::hob_resource_alignment, 56,
                    0x1000, 0x1234);
    require_refused(parse_blob(hob_list({{7, limit.value - MiB, 2 * MiB}})),
                    Fault::hob_above_gpa_width, 56, limit.value, limit.value + MiB);
    require_refused(parse_blob(hob_list({{7, ~std::uint64_t{0} - 0xFFF, 0x2000}})),
                    Fault::range_wraps, ~std::uint64_t{0} - 0xFFF, 0xFFF, 0x2000);
}

TEST_CASE("resources that overlap are refused, neighbours are not", "[hob]") {
    require_refused(parse_blob(hob_list({{7, MiB, 2 * MiB}, {7, 0, MiB + 0x1000}})),
                    Fault::hob_resource_overlap, MiB, MiB + 0x1000, MiB);
    require_refused(parse_blob(hob_list({{7, 0, 4 * MiB}, {1, MiB, MiB}})),
                    Fault::hob_resource_overlap, MiB, 4 * MiB, MiB);
    CHECK(text_of(parse_blob(hob_list({{7, MiB, MiB}, {7, 0, MiB}}))) == "0-1u 1-2u ");
}

TEST_CASE("absurd numbers of resources are refused", "[hob]") {
    std::vector<HobResource> many;
    for (std::uint64_t i = 0; i < 65; ++i)
        many.push_back({7, i * 2 * MiB, MiB});
    require_refused(parse_blob(hob_list(many)), Fault::too_many_entries, 128 * MiB, 64, 65);
    many.pop_back();
    CHECK(parse_blob(hob_list(many))->memory.size() == 64);
    many.assign(129, {1, 0, MiB});
    require_refused(parse_blob(hob_list(many)), Fault::too_many_entries, 56 + 128 * 48, 128, 129);
}

}} // namespace tdshim::hob
