// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-info/igvm.hpp"

#include <format>

#include "tools/common/text.hpp"
#include "tools/igvm/wire.hpp"

namespace tdshim::tools {
namespace {

using nlohmann::ordered_json;

/// "debug", "SEPT_VE_DISABLE", ... where the policy is TDX's, and what else is set as a number.
std::string policy_text(const igvm::File& file, const igvm::GuestPolicy& policy) {
    if ((policy.mask & file.mask_of(igvm::PlatformType::tdx)) == 0)
        return hex(policy.policy);
    std::string text;
    std::uint64_t rest = policy.policy;
    const auto take = [&](std::uint64_t bit, std::string_view name) {
        if ((rest & bit) != 0)
            text += std::string(name) + ' ';
        rest &= ~bit;
    };
    take(igvm::tdx_policy_debug, "debug");
    take(igvm::tdx_policy_sept_ve_disable, "SEPT_VE_DISABLE");
    take(igvm::tdx_policy_migratable, "migratable");
    if (rest != 0 || text.empty())
        return text + hex(rest);
    text.pop_back();
    return text;
}

std::string treatment_of(const igvm::Run& run) {
    if (run.area)
        return std::format("unmeasured, parameter area {}", *run.area);
    std::string text = run.is_shared ? "shared" : run.is_measured ? "measured" : "unmeasured";
    if (run.is_zero)
        text += ", zero";
    if (run.data_type != igvm::page_type_normal)
        text += std::format(", page type {}", run.data_type);
    return text;
}

std::string name_of_type(std::uint32_t type) {
    const auto name = igvm::name_of(igvm::HeaderType{type & ~igvm::type_optional});
    return name.empty() ? hex(type) : std::string(name);
}

/// Names of the parameters of each area, and areas without any; in their order.
std::vector<std::pair<igvm::ParameterArea, std::vector<igvm::Parameter>>>
areas_of(const igvm::File& file) {
    std::vector<std::pair<igvm::ParameterArea, std::vector<igvm::Parameter>>> areas;
    for (const igvm::Directive& directive : file.directives) {
        if (const auto* area = std::get_if<igvm::ParameterArea>(&directive.body))
            areas.push_back({*area, {}});
        if (const auto* parameter = std::get_if<igvm::Parameter>(&directive.body))
            for (auto& [area, parameters] : areas)
                if (area.index == parameter->area)
                    parameters.push_back(*parameter);
    }
    return areas;
}

/// Initialization headers and directives that are told by their type alone.
std::vector<igvm::OtherHeader> others_of(const igvm::File& file) {
    std::vector<igvm::OtherHeader> others = file.initializations;
    for (const igvm::Directive& directive : file.directives)
        if (const auto* other = std::get_if<igvm::OtherHeader>(&directive.body))
            others.push_back(*other);
    return others;
}

std::vector<igvm::RequiredMemory> required_memory_of(const igvm::File& file) {
    std::vector<igvm::RequiredMemory> required;
    for (const igvm::Directive& directive : file.directives)
        if (const auto* memory = std::get_if<igvm::RequiredMemory>(&directive.body))
            required.push_back(*memory);
    return required;
}

std::string table_of_headers(const igvm::File& file) {
    std::string text;
    for (const igvm::Platform& platform : file.platforms)
        text += std::format(
            "platform: {}, version {}, mask {}, highest VTL {}, {}\n", igvm::name_of(platform.type),
            platform.version, hex(platform.mask), platform.highest_vtl,
            platform.shared_gpa_boundary == 0 ? "no shared boundary"
                                              : "shared from " + hex(platform.shared_gpa_boundary));
    for (const igvm::GuestPolicy& policy : file.policies)
        text +=
            std::format("guest policy: mask {}: {}\n", hex(policy.mask), policy_text(file, policy));
    for (const igvm::OtherHeader& other : others_of(file))
        text += std::format("other header: {}, {} bytes\n", name_of_type(other.type), other.length);
    return text;
}

ordered_json json_of(const igvm::Platform& platform) {
    return {{"type", igvm::name_of(platform.type)},
            {"version", platform.version},
            {"mask", platform.mask},
            {"highest_vtl", platform.highest_vtl},
            {"shared_gpa_boundary", platform.shared_gpa_boundary}};
}

ordered_json json_of(const igvm::Run& run) {
    ordered_json json{{"address", run.memory.start().value},
                      {"pages", run.memory.size() / page_size},
                      {"mask", run.mask},
                      {"measured", run.is_measured},
                      {"shared", run.is_shared},
                      {"zero", run.is_zero},
                      {"page_type", run.data_type},
                      {"parameter_area", nullptr}};
    if (run.area)
        json["parameter_area"] = *run.area;
    return json;
}

ordered_json json_of(const igvm::ParameterArea& area,
                     const std::vector<igvm::Parameter>& parameters) {
    ordered_json json{{"index", area.index},
                      {"size", area.size},
                      {"file_offset", area.file_offset},
                      {"parameters", ordered_json::array()}};
    for (const igvm::Parameter& parameter : parameters)
        json["parameters"].push_back(
            {{"type", igvm::name_of(parameter.type)}, {"byte_offset", parameter.byte_offset}});
    return json;
}

} // namespace

std::string table_of(const igvm::File& file, const std::string& name) {
    std::string text =
        std::format("{}: {} bytes: IGVM file of version {}, checksum {}\n{}", name,
                    file.bytes.size(), file.version, hex(file.checksum, 8), table_of_headers(file));
    text += std::format("  {:<31}  {:>6}  {:>4}  {}\n", "memory", "pages", "mask", "treatment");
    for (const igvm::Run& run : igvm::runs_of(file))
        text += std::format("  {:<31}  {:>6}  {:>4}  {}\n", text_of(run.memory),
                            run.memory.size() / page_size, hex(run.mask), treatment_of(run));
    for (const auto& [area, parameters] : areas_of(file)) {
        text += std::format("parameter area {}: {} bytes", area.index, area.size);
        for (const igvm::Parameter& parameter : parameters)
            text += std::format(", {} at {}", igvm::name_of(parameter.type),
                                hex(parameter.byte_offset));
        text += '\n';
    }
    for (const igvm::RequiredMemory& required : required_memory_of(file))
        text += std::format("required memory: {}, mask {}\n", text_of(required.memory),
                            hex(required.mask));
    return text;
}

ordered_json json_of(const igvm::File& file, const std::string& name) {
    ordered_json json{{"image", name},
                      {"format", "igvm"},
                      {"image_size", file.bytes.size()},
                      {"version", file.version},
                      {"checksum", file.checksum}};
    for (const auto* member : {"platforms", "guest_policies", "pages", "parameter_areas",
                               "required_memory", "other_headers"})
        json[member] = ordered_json::array();
    for (const igvm::Platform& platform : file.platforms)
        json["platforms"].push_back(json_of(platform));
    for (const igvm::GuestPolicy& policy : file.policies)
        json["guest_policies"].push_back({{"mask", policy.mask}, {"policy", policy.policy}});
    for (const igvm::Run& run : igvm::runs_of(file))
        json["pages"].push_back(json_of(run));
    for (const auto& [area, parameters] : areas_of(file))
        json["parameter_areas"].push_back(json_of(area, parameters));
    for (const igvm::RequiredMemory& required : required_memory_of(file))
        json["required_memory"].push_back({{"address", required.memory.start().value},
                                           {"size", required.memory.size()},
                                           {"mask", required.mask}});
    for (const igvm::OtherHeader& other : others_of(file))
        json["other_headers"].push_back(
            {{"type", name_of_type(other.type)}, {"length", other.length}});
    return json;
}

} // namespace tdshim::tools
