// SPDX-License-Identifier: Apache-2.0
//
// What each VMM asks of an image: one broken rule at a time.
#include "tools/vmm/image_rules.hpp"

#include <catch2/catch_test_macros.hpp>
#include <functional>

#include "shim/memory/layout.hpp"

namespace tdshim::vmm { namespace {

using tdvf::Metadata;
using tdvf::Section;
using tdvf::SectionType;

constexpr std::uint64_t image_size = 256 * KiB;
constexpr std::uint32_t descriptor_at = 0x3FC10;

/// BFV, CFV, TempMem, TD_HOB, as every VMM takes them.
Metadata good_image() {
    const std::uint64_t base = 4 * GiB - image_size;
    Metadata metadata{.offset = descriptor_at,
                      .found_by_footer = true,
                      .legacy_pointer = descriptor_at,
                      .sections = {}};
    const auto add = [&](SectionType type, std::uint32_t offset, std::uint32_t raw,
                         std::uint64_t start, std::uint64_t size, std::uint32_t attributes) {
        REQUIRE(metadata.sections.push({.type = type,
                                        .data_offset = offset,
                                        .raw_size = raw,
                                        .memory = GpaRange::between({start}, {start + size}),
                                        .attributes = attributes}));
    };
    add(SectionType::bfv, 64 * KiB, 192 * KiB, base + 64 * KiB, 192 * KiB, 1);
    add(SectionType::cfv, 0, 64 * KiB, base, 64 * KiB, 0);
    add(SectionType::temp_mem, 0, 0, 8 * MiB, 1 * MiB, 0);
    add(SectionType::td_hob, 0, 0, 16 * MiB, 64 * KiB, 0);
    return metadata;
}

struct Case {
    const char* name;
    Kind kind;
    std::function<void(Metadata&)> spoil;
    Fault fault;
    std::optional<std::size_t> section;
    std::uint64_t expected;
    std::uint64_t found;
};

void move(Section& section, std::uint64_t start) {
    section.memory = GpaRange::between({start}, {start + section.memory.size()});
}

const std::vector<Case>& cases() {
    static const std::vector<Case> all{
        {"no footer table",
         Kind::qemu,
         [](Metadata& m) { m.found_by_footer = false; },
         Fault::footer_no_metadata,
         {},
         0,
         0},
        {"a type that QEMU does not know", Kind::qemu,
         [](Metadata& m) { m.sections[2].type = SectionType::payload; }, Fault::section_type, 2, 3,
         5},
        {"data off a page", Kind::qemu, [](Metadata& m) { m.sections[0].data_offset += 16; },
         Fault::section_alignment, 0, 64 * KiB, 64 * KiB + 16},
        {"less data than memory", Kind::qemu, [](Metadata& m) { m.sections[1].raw_size -= 1; },
         Fault::section_raw_size, 1, 64 * KiB, 64 * KiB - 1},
        {"temporary memory above the RAM", Kind::qemu,
         [](Metadata& m) { move(m.sections[2], 3 * GiB); }, Fault::section_place, 2, 0, 3 * GiB},
        {"temporary memory across the end of the RAM", Kind::qemu,
         [](Metadata& m) { move(m.sections[2], 1 * GiB - 64 * KiB); }, Fault::section_place, 2, 0,
         1 * GiB - 64 * KiB},
        {"configuration volume in RAM", Kind::qemu,
         [](Metadata& m) { move(m.sections[1], 64 * MiB); }, Fault::section_place, 1, 0, 64 * MiB},
        {"no reset vector",
         Kind::qemu,
         [](Metadata& m) { move(m.sections[0], 4 * GiB - 256 * KiB); },
         Fault::section_no_reset_vector,
         {},
         4 * GiB - 16,
         0},
        {"a type that Cloud Hypervisor does not know", Kind::cloud_hypervisor,
         [](Metadata& m) { m.sections[2].type = SectionType::td_info; }, Fault::section_type, 2, 6,
         7},
        {"attributes that Cloud Hypervisor takes for none", Kind::cloud_hypervisor,
         [](Metadata& m) { m.sections[0].attributes = 3; }, Fault::section_attributes, 0, 1, 3},
        {"temporary memory in Cloud Hypervisor's hole", Kind::cloud_hypervisor,
         [](Metadata& m) { move(m.sections[2], 3 * GiB + 1 * MiB); }, Fault::section_place, 2, 0,
         3 * GiB + 1 * MiB},
        {"a firmware volume that is not measured", Kind::tdshim_spec,
         [](Metadata& m) { m.sections[0].attributes = 0; }, Fault::section_attributes, 0, 1, 0},
        {"two hand-off blocks",
         Kind::tdshim_spec,
         [](Metadata& m) { m.sections[2].type = SectionType::td_hob; },
         Fault::section_count,
         {},
         1,
         2},
        {"temporary memory that names data", Kind::tdshim_spec,
         [](Metadata& m) { m.sections[2].data_offset = 4096; }, Fault::section_data_offset, 2, 0,
         4096},
        {"temporary memory that is measured", Kind::tdshim_spec,
         [](Metadata& m) { m.sections[2].attributes = 1; }, Fault::section_attributes, 2, 0, 1},
    };
    return all;
}

TEST_CASE("a good image pleases every VMM", "[image_rules]") {
    for (const Kind kind : {Kind::qemu, Kind::cloud_hypervisor, Kind::tdshim_spec})
        CHECK(violations(kind, image_size, good_image(), 1 * GiB).empty());
}

TEST_CASE("each broken rule is found once", "[image_rules]") {
    for (const Case& row : cases()) {
        INFO(row.name);
        Metadata metadata = good_image();
        row.spoil(metadata);
        const auto found = violations(row.kind, image_size, metadata, 1 * GiB);
        REQUIRE(found.size() == 1);
        const std::uint64_t at =
            row.section ? descriptor_at + 16 + 32 * *row.section : descriptor_at;
        CHECK(found[0].error.fault == row.fault);
        CHECK(found[0].error.at == at);
        CHECK(found[0].error.expected == row.expected);
        CHECK(found[0].error.found == row.found);
        CHECK(found[0].section == row.section);
        CHECK_FALSE(found[0].consequence.empty());
    }
}

TEST_CASE("QEMU takes images of whole 64 KiB up to 16 MiB", "[image_rules]") {
    CHECK(violations(Kind::qemu, 100 * KiB, good_image(), {}).size() == 1);
    const auto found = violations(Kind::qemu, 17 * MiB, good_image(), {});
    REQUIRE(found.size() == 1);
    CHECK(found[0].error.fault == Fault::image_size);
    CHECK(violations(Kind::cloud_hypervisor, 100 * KiB, good_image(), {}).empty());
}

TEST_CASE("without a memory size no place in RAM is asked for", "[image_rules]") {
    Metadata metadata = good_image();
    move(metadata.sections[2], 512 * GiB);
    CHECK(violations(Kind::qemu, image_size, metadata, {}).empty());
}

}} // namespace tdshim::vmm
