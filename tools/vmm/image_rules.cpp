// SPDX-License-Identifier: Apache-2.0
#include "tools/vmm/image_rules.hpp"

#include <algorithm>

#include "shim/memory/layout.hpp"

namespace tdshim::vmm {
namespace {

using tdvf::Metadata;
using tdvf::Section;
using tdvf::SectionType;

constexpr std::uint64_t reset_vector = layout::image_end - 16;

bool comes_from_image(const Section& section) {
    return section.type == SectionType::bfv || section.type == SectionType::cfv;
}

/// Collects what is wrong with one image.
class Judge {
  public:
    Judge(const Metadata& metadata, std::vector<GpaRange> ram)
        : metadata_(metadata), ram_(std::move(ram)) {}

    void image(bool is_good, Fault fault, std::uint64_t expected, std::uint64_t found,
               std::string consequence) {
        if (!is_good)
            found_.push_back(
                {{fault, metadata_.offset, expected, found}, {}, std::move(consequence)});
    }

    /// About the section that is being looked at.
    void section(bool is_good, Fault fault, std::uint64_t expected, std::uint64_t found,
                 std::string consequence) {
        if (!is_good)
            found_.push_back(
                {{fault, offset_of(index_), expected, found}, index_, std::move(consequence)});
    }

    template <class Rules>
    void each_section(Rules rules) {
        for (index_ = 0; index_ < metadata_.sections.size(); ++index_)
            rules(metadata_.sections[index_]);
    }

    [[nodiscard]] bool is_in_ram(const GpaRange& range) const {
        return ram_.empty() || std::ranges::any_of(ram_, [&](const GpaRange& piece) {
                   return piece.contains(range);
               });
    }
    [[nodiscard]] bool is_outside_ram(const GpaRange& range) const {
        return std::ranges::none_of(ram_,
                                    [&](const GpaRange& piece) { return piece.overlaps(range); });
    }

    [[nodiscard]] std::vector<Violation> finish() { return std::move(found_); }

  private:
    [[nodiscard]] std::uint64_t offset_of(std::size_t section) const {
        return metadata_.offset + sizeof(tdvf::Descriptor) + section * sizeof(tdvf::SectionEntry);
    }

    const Metadata& metadata_;
    std::vector<GpaRange> ram_;
    std::size_t index_ = 0;
    std::vector<Violation> found_;
};

/// The processors of a TD begin at 4 GiB - 16.
void check_reset_vector(Judge& judge, const Metadata& metadata) {
    const auto holds_it = [](const Section& section) {
        return section.type == SectionType::bfv && section.memory.start().value <= reset_vector &&
               reset_vector < section.memory.end().value;
    };
    judge.image(std::ranges::any_of(metadata.sections, holds_it), Fault::section_no_reset_vector,
                reset_vector, 0, "the first instruction of the TD is no memory of its own");
}

void judge_qemu(Judge& judge, const Metadata& metadata, std::uint64_t image_size) {
    judge.image(metadata.found_by_footer, Fault::footer_no_metadata, 0, 0,
                "QEMU finds the metadata by the footer table only");
    judge.image(is_aligned(image_size, layout::image_granule), Fault::image_size,
                layout::image_granule, image_size, "QEMU's -bios takes multiples of 64 KiB");
    judge.image(image_size <= layout::max_image_size, Fault::image_size, layout::max_image_size,
                image_size, "QEMU's -bios is known to take 16 MiB");
    judge.image(metadata.sections.size() >= 2, Fault::section_count, 2, metadata.sections.size(),
                "QEMU asks for two sections");
    check_reset_vector(judge, metadata);
    judge.each_section([&](const Section& section) {
        const auto type = static_cast<std::uint32_t>(section.type);
        constexpr auto last_type = static_cast<std::uint32_t>(SectionType::temp_mem);
        judge.section(type <= last_type, Fault::section_type, last_type, type,
                      "QEMU ends with \"unsupported section type\"");
        if (type > last_type)
            return;
        judge.section(is_aligned(section.data_offset, page_size), Fault::section_alignment,
                      align_down(section.data_offset, page_size), section.data_offset,
                      "KVM adds pages from page-aligned memory only");
        if (comes_from_image(section)) {
            judge.section(section.raw_size == section.memory.size(), Fault::section_raw_size,
                          section.memory.size(), section.raw_size,
                          "QEMU copies as many bytes as the section has memory, whatever follows");
            judge.section(judge.is_outside_ram(section.memory), Fault::section_place, 0,
                          section.memory.start().value,
                          "QEMU lists the section as memory that is still to be accepted");
        } else {
            judge.section(section.raw_size == 0, Fault::section_raw_size, 0, section.raw_size,
                          "QEMU refuses data for such a section");
            judge.section(judge.is_in_ram(section.memory), Fault::section_place, 0,
                          section.memory.start().value,
                          "QEMU asks for such a section inside one range of RAM");
        }
    });
}

void judge_cloud_hypervisor(Judge& judge, const Metadata& metadata) {
    check_reset_vector(judge, metadata);
    judge.each_section([&](const Section& section) {
        const auto type = static_cast<std::uint32_t>(section.type);
        constexpr auto last_type = static_cast<std::uint32_t>(SectionType::payload_param);
        judge.section(type <= last_type, Fault::section_type, last_type, type,
                      "Cloud Hypervisor knows the types 0 to 6");
        if (type > last_type)
            return;
        judge.section((section.attributes & ~tdvf::attribute_mr_extend) == 0,
                      Fault::section_attributes, tdvf::attribute_mr_extend, section.attributes,
                      "Cloud Hypervisor extends a section only when its attributes are exactly 1");
        if (!comes_from_image(section))
            judge.section(judge.is_in_ram(section.memory), Fault::section_place, 0,
                          section.memory.start().value, "there is no memory for the section");
    });
}

void judge_tdshim_spec(Judge& judge, const Metadata& metadata) {
    const auto count = [&](SectionType type) {
        return static_cast<std::size_t>(
            std::ranges::count(metadata.sections, type, &Section::type));
    };
    judge.image(count(SectionType::bfv) >= 1, Fault::section_count, 1, 0,
                "the specification asks for a BFV");
    for (const SectionType only : {SectionType::td_hob, SectionType::payload_param})
        judge.image(count(only) <= 1, Fault::section_count, 1, count(only),
                    "the specification allows one " + std::string(tdvf::name_of(only)));
    check_reset_vector(judge, metadata);
    judge.each_section([&](const Section& section) {
        switch (section.type) {
        case SectionType::bfv:
            judge.section(section.attributes == tdvf::attribute_mr_extend,
                          Fault::section_attributes, tdvf::attribute_mr_extend, section.attributes,
                          "a BFV is extended into MRTD and nothing else");
            break;
        case SectionType::td_hob:
        case SectionType::temp_mem:
            judge.section(section.data_offset == 0, Fault::section_data_offset, 0,
                          section.data_offset, "such a section has no data");
            judge.section(section.attributes == 0, Fault::section_attributes, 0, section.attributes,
                          "such a section is not measured");
            break;
        case SectionType::cfv:
            judge.section(section.attributes == 0, Fault::section_attributes, 0, section.attributes,
                          "td-shim's checker wants no CFV in MRTD; tdshim has it there, for nobody "
                          "to change keys and policy unseen");
            break;
        case SectionType::perm_mem:
        case SectionType::payload:
        case SectionType::payload_param:
        case SectionType::td_info:
        case SectionType::td_params: break;
        }
    });
}

} // namespace

std::vector<Violation> violations(Kind kind, std::uint64_t image_size, const Metadata& metadata,
                                  std::optional<std::uint64_t> memory) {
    Judge judge(metadata, memory ? ram_of(kind, *memory) : std::vector<GpaRange>{});
    switch (kind) {
    case Kind::qemu: judge_qemu(judge, metadata, image_size); break;
    case Kind::cloud_hypervisor: judge_cloud_hypervisor(judge, metadata); break;
    case Kind::tdshim_spec: judge_tdshim_spec(judge, metadata); break;
    }
    return judge.finish();
}

} // namespace tdshim::vmm
