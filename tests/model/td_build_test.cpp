// SPDX-License-Identifier: Apache-2.0
//
// tools/tdx-model: MRTD over a small image and an IGVM file, block by block; tests/td_emu has the
// release image's by another program.

#include <catch2/catch_test_macros.hpp>

#include "tests/unit/igvm_file.hpp"
#include "tools/tdx-model/td_build.hpp"

namespace tdshim::tdx_model { namespace {

using namespace tdshim::test;

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

TEST_CASE("an IGVM file's pages are added in its order, and those for a TD alone", "[model]") {
    Blob headers = platform_header();
    headers.bytes(platform_header(2, 2).view());
    const std::uint64_t data = 24 + 2 * 24 + 5 * 32 + 2 * 24;
    headers.bytes(page_header(16 * MiB, data, 0, 3).view());
    headers.bytes(page_header(17 * MiB, data, 0, 2).view()); // SEV-SNP's
    headers.bytes(page_header(18 * MiB, data, 4).view());    // shared
    headers.bytes(page_header(MiB, data, 2).view());         // unmeasured, with data
    headers.bytes(area_header(2 * page_size, 0).view()).bytes(insert_header(2 * MiB, 0).view());
    headers.bytes(page_header(0, 0, 0).view());
    const Blob bytes = igvm_of(headers, Blob().fill(page_size, 0xA5));
    const auto file = igvm::parse(bytes.view());
    REQUIRE(file.has_value());

    crypto::Sha384 expected;
    update(expected, "MEM.PAGE.ADD", 16 * MiB);
    extend(expected, bytes.view().last(page_size), 16 * MiB);
    for (const std::uint64_t page : {MiB, 2 * MiB, 2 * MiB + page_size, std::uint64_t{0}})
        update(expected, "MEM.PAGE.ADD", page);
    extend(expected, std::vector<std::byte>(page_size), 0);
    CHECK(mrtd_of(*file) == expected.finish());

    const Blob other = igvm_of(platform_header(1, 2), {});
    const auto snp = igvm::parse(other.view());
    REQUIRE(snp.has_value());
    require_refused(mrtd_of(*snp), Fault::igvm_no_tdx, 0, 0, 0);
}

}} // namespace tdshim::tdx_model
