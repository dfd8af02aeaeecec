// SPDX-License-Identifier: Apache-2.0
//
// tools/tdx-model: MRTD over a small image, block by block; tests/td_emu has the release image's by
// another program.

#include <catch2/catch_test_macros.hpp>

#include "tools/tdx-model/td_build.hpp"

namespace tdshim::tdx_model { namespace {

void update(crypto::Sha384& hash, std::string_view name, std::uint64_t gpa) {
    std::vector<std::byte> block(128);
    std::ranges::copy(bytes_of(name), block.begin());
    for (std::size_t i = 0; i < 8; ++i)
        block[16 + i] = static_cast<std::byte>(gpa >> (8 * i));
    hash.update(block);
}

void extend(crypto::Sha384& hash, Bytes page, std::uint64_t gpa) {
    for (std::size_t at = 0; at < page_size; at += 256) {
        update(hash, "MR.EXTEND", gpa + at);
        hash.update(page.subspan(at, 256));
    }
}

struct Sample {
    std::vector<std::byte> image = std::vector<std::byte>(page_size + 512, std::byte{0xA5});
    std::vector<std::byte> memory = std::vector<std::byte>(2 * page_size);
    tdvf::Metadata metadata;

    Sample() {
        std::ranges::copy(image, memory.begin()); // the rest of the section is zero
        REQUIRE(metadata.sections.push(
            {.type = tdvf::SectionType::bfv,
             .data_offset = 0,
             .raw_size = page_size + 512,
             .memory = GpaRange::between({16 * MiB}, {16 * MiB + 2 * page_size}),
             .attributes = tdvf::attribute_mr_extend}));
        REQUIRE(metadata.sections.push({.type = tdvf::SectionType::temp_mem,
                                        .data_offset = 0,
                                        .raw_size = 0,
                                        .memory = GpaRange::between({MiB}, {MiB + page_size}),
                                        .attributes = 0}));
    }
};

TEST_CASE("pages are added and extended one by one, as KVM does", "[model]") {
    const Sample sample;
    crypto::Sha384 expected;
    for (const std::uint64_t page : {std::uint64_t{0}, page_size}) {
        update(expected, "MEM.PAGE.ADD", 16 * MiB + page);
        extend(expected, Bytes(sample.memory).subspan(page, page_size), 16 * MiB + page);
    }
    update(expected, "MEM.PAGE.ADD", MiB);
    CHECK(mrtd_of(sample.image, sample.metadata, LoadOrder::page_by_page) == expected.finish());
}

TEST_CASE("or a section is added before it is extended", "[model]") {
    const Sample sample;
    crypto::Sha384 expected;
    for (const std::uint64_t page : {std::uint64_t{0}, page_size})
        update(expected, "MEM.PAGE.ADD", 16 * MiB + page);
    for (const std::uint64_t page : {std::uint64_t{0}, page_size})
        extend(expected, Bytes(sample.memory).subspan(page, page_size), 16 * MiB + page);
    update(expected, "MEM.PAGE.ADD", MiB);
    CHECK(mrtd_of(sample.image, sample.metadata, LoadOrder::section_by_section) ==
          expected.finish());
}

}} // namespace tdshim::tdx_model
