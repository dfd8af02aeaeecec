// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/output.hpp"

#include <format>
#include <iostream>

#include "tools/common/text.hpp"
#include "tools/measurements/event_names.hpp"
#include "tools/measurements/td_registers.hpp"

namespace tdshim::tools {
namespace {

constexpr std::uint32_t firmware_rtmrs = 2;

/// RTMR[2] and RTMR[3] are zero when Linux starts, but for the events of a bundle.
bool is_known(const Measured& measured, std::uint32_t rtmr) {
    return rtmr == 0 ? measured.options.knows_rtmr0() : rtmr != 1 || measured.knows_payload;
}

std::string_view order_text(tdx_model::LoadOrder order) {
    return order == tdx_model::LoadOrder::page_by_page ? "page by page" : "section by section";
}

bool is_extended(const tdvf::Section& section) {
    return (section.attributes & tdvf::attribute_mr_extend) != 0;
}

/// "64 pages added and extended from offset 0x0".
std::string work_of(const tdvf::Section& section) {
    if (section.memory.empty()) // TD_PARAMS: bytes of the image, which another section has
        return "no pages of its own";
    if ((section.attributes & tdvf::attribute_page_aug) != 0)
        return "not part of MRTD";
    std::string text = std::format("{} pages added", section.memory.size() / page_size);
    if (is_extended(section))
        text += " and extended";
    return text + (section.raw_size == 0
                       ? ", zero"
                       : std::format(", from offset {} of the image", hex(section.data_offset)));
}

std::string work_of(const igvm::Run& run) {
    const std::string text = std::format("{} pages added", run.memory.size() / page_size);
    if (run.area)
        return std::format("{}, parameter area {}", text, *run.area);
    return text + (run.is_measured ? " and extended" : "") + (run.is_zero ? ", zero" : "");
}

/// What of the file a TD has at its launch.
std::vector<igvm::Run> runs_of_td(const igvm::File& file) {
    std::vector<igvm::Run> runs = igvm::runs_of(file);
    const std::uint32_t tdx = file.mask_of(igvm::PlatformType::tdx);
    std::erase_if(runs,
                  [&](const igvm::Run& run) { return (run.mask & tdx) == 0 || run.is_shared; });
    return runs;
}

void explain_igvm(const std::string& name, const igvm::File& file) {
    std::cout << std::format("  {} in its own order\n", name);
    for (const igvm::Run& run : runs_of_td(file))
        std::cout << std::format("  {:<23}  {}\n", text_of(run.memory), work_of(run));
}

void explain_mrtd(const Measured& measured) {
    if (measured.image.igvm) {
        explain_igvm(measured.image.file, *measured.image.igvm);
        return;
    }
    std::cout << std::format("  {} in the order of the metadata, {}\n", measured.image.file,
                             order_text(measured.options.load_order));
    for (const tdvf::Section& section : measured.image.metadata.sections)
        std::cout << std::format("  {:<13}  {:<23}  {}\n", tdvf::name_of(section.type),
                                 text_of(section.memory), work_of(section));
}

void explain_register(const Measured& measured, std::uint32_t rtmr) {
    for (const PredictedEvent& event : measured.prediction.events)
        if (event.measurement.rtmr == rtmr)
            std::cout << std::format(
                "  {:<31}  {:<16}  {}\n  {:>10} bytes: {}\n",
                event_type_name(static_cast<std::uint32_t>(event.measurement.type)),
                event.description, hex(Bytes(event.measurement.digest)), event.measurement.hashed,
                event.origin);
}

nlohmann::ordered_json json_of(const tdvf::Section& section) {
    return {{"type", tdvf::name_of(section.type)},
            {"address", section.memory.start().value},
            {"pages", section.memory.size() / page_size},
            {"data_offset", section.data_offset},
            {"extended", is_extended(section)}};
}

nlohmann::ordered_json json_of(const igvm::Run& run) {
    return {{"address", run.memory.start().value},
            {"pages", run.memory.size() / page_size},
            {"extended", run.is_measured}};
}

} // namespace

Policy policy_of(const Measured& measured) {
    Policy policy;
    policy.mrtd = measured.mrtd;
    if (!measured.options.is_plain_vm) {
        policy.attributes = measured.options.identity.attributes;
        policy.xfam = measured.options.identity.xfam;
        policy.mr_config_id = digest_of_hex(measured.options.identity.mr_config_id);
        policy.mr_owner = digest_of_hex(measured.options.identity.mr_owner);
        policy.mr_owner_config = digest_of_hex(measured.options.identity.mr_owner_config);
    }
    for (std::uint32_t rtmr = 0; rtmr < firmware_rtmrs; ++rtmr)
        if (is_known(measured, rtmr))
            policy.rtmr[rtmr] = measured.prediction.registers.value(rtmr);
    for (const PredictedEvent& event : measured.prediction.events)
        if (is_known(measured, event.measurement.rtmr))
            policy.events.push_back(policy_event_of(event));
    return policy;
}

Policy policy_without_log(const Measured& measured) {
    Policy policy = policy_of(measured);
    for (const PolicyEvent& event : policy.events)
        policy.rtmr[event.rtmr] = measured.prediction.registers.value(event.rtmr);
    return policy;
}

void print_text(const Measured& measured) {
    const bool explain = measured.options.explain;
    if (measured.mrtd) {
        std::cout << "MRTD    " << hex(Bytes(*measured.mrtd)) << '\n';
        if (explain)
            explain_mrtd(measured);
    }
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr) {
        if (!is_known(measured, rtmr)) {
            std::cout << std::format("RTMR[{}] depends on the {}\n", rtmr,
                                     rtmr == 0 ? "VMM" : "kernel");
            continue;
        }
        std::cout << std::format("RTMR[{}] {}\n", rtmr,
                                 hex(Bytes(measured.prediction.registers.value(rtmr))));
        if (explain)
            explain_register(measured, rtmr);
    }
    if (measured.td_info) {
        std::cout << "TDINFO  " << hex(Bytes(td_info_hash(*measured.td_info))) << '\n';
        if (explain)
            std::cout << std::format("  attributes {}, XFAM {}, registers as when {} starts\n",
                                     hex(measured.td_info->attributes), hex(measured.td_info->xfam),
                                     measured.is_executable ? "the payload" : "Linux");
    }
    if (measured.is_executable)
        std::cout << "note: RTMR[2] and RTMR[3] before events of the payload's own\n";
}

nlohmann::ordered_json json_of(const Measured& measured) {
    nlohmann::ordered_json json = json_of(policy_of(measured));
    json.erase("format");
    json.erase("version");
    for (std::uint32_t rtmr = firmware_rtmrs; rtmr < measure::rtmr_count; ++rtmr)
        json["rtmr" + std::to_string(rtmr)] = hex(Bytes(measured.prediction.registers.value(rtmr)));
    if (measured.td_info)
        json["tdinfo_hash"] = hex(Bytes(td_info_hash(*measured.td_info)));
    else
        json["tdinfo_hash"] = nullptr;
    json["load_order"] = order_text(measured.options.load_order);
    json["sections"] = nlohmann::ordered_json::array();
    for (const tdvf::Section& section : measured.image.metadata.sections)
        json["sections"].push_back(json_of(section));
    if (measured.image.igvm) {
        json["runs"] = nlohmann::ordered_json::array();
        for (const igvm::Run& run : runs_of_td(*measured.image.igvm))
            json["runs"].push_back(json_of(run));
    }
    return json;
}

} // namespace tdshim::tools
