// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/settings.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

namespace tdshim::td_emu {
namespace {

using nlohmann::json;

json json_of(const std::vector<GpaRange>& ranges) {
    json list = json::array();
    for (const GpaRange& range : ranges)
        list.push_back({range.start().value, range.end().value});
    return list;
}

std::vector<GpaRange> ranges_of(const json& list) {
    std::vector<GpaRange> ranges;
    for (const json& entry : list)
        ranges.push_back(GpaRange::between({entry.at(0)}, {entry.at(1)}));
    return ranges;
}

Settings settings_of(const json& from) {
    Settings settings;
    settings.configuration.gpa_width = from.at("gpa_width");
    settings.configuration.vcpus = from.at("vcpus");
    settings.configuration.module_version =
        static_cast<tdx_model::ModuleVersion>(from.at("module_version").get<std::uint8_t>());
    settings.configuration.grants_large_pages = from.at("grants_large_pages");
    settings.configuration.flexible_pending_ve = from.at("flexible_pending_ve");
    const auto info = from.at("td_info").get<std::vector<std::uint8_t>>();
    settings.configuration.td_info =
        read_at<tdx::TdInfo>(std::as_bytes(std::span(info)), 0).value_or(tdx::TdInfo{});
    settings.ram = ranges_of(from.at("ram"));
    settings.added = ranges_of(from.at("added"));
    settings.free = ranges_of(from.at("free"));
    settings.unmeasured_payload = ranges_of(from.at("unmeasured_payload")).at(0);
    settings.measured_copy = ranges_of(from.at("measured_copy")).at(0);
    settings.firmware = ranges_of(from.at("firmware"));
    settings.is_tdshim = from.at("is_tdshim");
    settings.until_payload = from.at("until_payload");
    settings.fault = static_cast<tdx_model::Fault>(from.at("fault").get<std::uint8_t>());
    settings.fault_text = from.at("fault_text");
    settings.delivers_exceptions = from.at("delivers_exceptions");
    settings.watches_payload = from.at("watches_payload");
    settings.is_our_firmware = from.at("is_our_firmware");
    settings.wants_statistics = from.at("wants_statistics");
    settings.qtest_socket = from.at("qtest_socket");
    settings.quote_socket = from.at("quote_socket");
    settings.result_file = from.at("result_file");
    settings.ccel_file = from.at("ccel_file");
    settings.payload_ccel_file = from.at("payload_ccel_file");
    settings.trace_file = from.at("trace_file");
    return settings;
}

} // namespace

bool write_settings(const Settings& settings, const std::string& file) {
    std::vector<std::uint8_t> info;
    for (const std::byte byte : bytes_of(settings.configuration.td_info))
        info.push_back(std::to_integer<std::uint8_t>(byte));
    const json value{
        {"gpa_width", settings.configuration.gpa_width},
        {"vcpus", settings.configuration.vcpus},
        {"module_version", static_cast<std::uint8_t>(settings.configuration.module_version)},
        {"grants_large_pages", settings.configuration.grants_large_pages},
        {"flexible_pending_ve", settings.configuration.flexible_pending_ve},
        {"td_info", info},
        {"ram", json_of(settings.ram)},
        {"added", json_of(settings.added)},
        {"free", json_of(settings.free)},
        {"unmeasured_payload", json_of({settings.unmeasured_payload})},
        {"measured_copy", json_of({settings.measured_copy})},
        {"firmware", json_of(settings.firmware)},
        {"is_tdshim", settings.is_tdshim},
        {"until_payload", settings.until_payload},
        {"fault", static_cast<std::uint8_t>(settings.fault)},
        {"fault_text", settings.fault_text},
        {"delivers_exceptions", settings.delivers_exceptions},
        {"watches_payload", settings.watches_payload},
        {"is_our_firmware", settings.is_our_firmware},
        {"wants_statistics", settings.wants_statistics},
        {"qtest_socket", settings.qtest_socket},
        {"quote_socket", settings.quote_socket},
        {"result_file", settings.result_file},
        {"ccel_file", settings.ccel_file},
        {"payload_ccel_file", settings.payload_ccel_file},
        {"trace_file", settings.trace_file}};
    std::ofstream output(file);
    output << value;
    return static_cast<bool>(output.flush());
}

std::optional<Settings> read_settings(const std::string& file) {
    try {
        std::ifstream input(file);
        return settings_of(json::parse(input));
    } catch (const json::exception& error) {
        std::fprintf(stderr, "td-emu: %s: %s\n", file.c_str(), error.what());
        return std::nullopt;
    }
}

} // namespace tdshim::td_emu
