// SPDX-License-Identifier: Apache-2.0
#include "tools/common/metadata_table.hpp"

#include <format>
#include <vector>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

/// "MR.EXTEND", "PAGE.AUG" and whatever else is set as a number.
std::vector<std::string> names_of_attributes(std::uint32_t attributes) {
    std::vector<std::string> names;
    if ((attributes & tdvf::attribute_mr_extend) != 0)
        names.emplace_back("MR.EXTEND");
    if ((attributes & tdvf::attribute_page_aug) != 0)
        names.emplace_back("PAGE.AUG");
    const std::uint32_t rest = attributes & ~(tdvf::attribute_mr_extend | tdvf::attribute_page_aug);
    if (rest != 0)
        names.push_back(hex(rest));
    return names;
}

std::string attributes_text(std::uint32_t attributes) {
    std::string text;
    for (const std::string& name : names_of_attributes(attributes))
        text += (text.empty() ? "" : " ") + name;
    return text.empty() ? "-" : text;
}

std::string row_of(const tdvf::Section& section) {
    const bool has_data = section.raw_size != 0;
    return std::format("  {:<12}  {:>10}  {:>9}  {:<23}  {:>10}  {}\n", tdvf::name_of(section.type),
                       has_data ? hex(section.data_offset) : "-",
                       has_data ? hex(section.raw_size) : "-", text_of(section.memory),
                       hex(section.memory.size()), attributes_text(section.attributes));
}

} // namespace

std::string table_of(const tdvf::Metadata& metadata) {
    std::string text = std::format(
        "TDX metadata: descriptor at offset {}, found by the {}; pointer at end - 0x20: {}\n",
        hex(metadata.offset), metadata.found_by_footer ? "footer table" : "pointer at end - 0x20",
        metadata.legacy_pointer ? hex(*metadata.legacy_pointer) : "none");
    text += std::format("  {:<12}  {:>10}  {:>9}  {:<23}  {:>10}  {}\n", "section", "offset",
                        "data", "memory", "size", "attributes");
    for (const tdvf::Section& section : metadata.sections)
        text += row_of(section);
    return text;
}

nlohmann::ordered_json json_of(const tdvf::Metadata& metadata) {
    nlohmann::ordered_json json{
        {"offset", metadata.offset},
        {"found_by", metadata.found_by_footer ? "footer" : "pointer"},
        {"legacy_pointer", nullptr},
        {"sections", nlohmann::ordered_json::array()},
    };
    if (metadata.legacy_pointer)
        json["legacy_pointer"] = *metadata.legacy_pointer;
    for (const tdvf::Section& section : metadata.sections)
        json["sections"].push_back({{"type", static_cast<std::uint32_t>(section.type)},
                                    {"name", tdvf::name_of(section.type)},
                                    {"data_offset", section.data_offset},
                                    {"raw_size", section.raw_size},
                                    {"memory_address", section.memory.start().value},
                                    {"memory_size", section.memory.size()},
                                    {"attributes", section.attributes},
                                    {"attribute_names", names_of_attributes(section.attributes)}});
    return json;
}

} // namespace tdshim::tools
