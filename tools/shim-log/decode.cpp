// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-log/commands.hpp"

#include <format>
#include <iostream>

#include "tools/common/files.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/event_names.hpp"
#include "tools/measurements/logged.hpp"
#include "tools/measurements/summary.hpp"

namespace tdshim::tools {
namespace {

void print_registers(const DecodedLog& log, std::string_view indent) {
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        std::cout << std::format("{}RTMR[{}] {}\n", indent, rtmr,
                                 hex(Bytes(log.registers.value(rtmr))));
}

nlohmann::ordered_json registers_of(const DecodedLog& log) {
    nlohmann::ordered_json json;
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        json["rtmr" + std::to_string(rtmr)] = hex(Bytes(log.registers.value(rtmr)));
    return json;
}

void print_event(const event_log::Event& event) {
    const Summary summary = summarise(event);
    std::cout << std::format("{:>8}  {:<7}  {}", hex(event.offset), register_name(event.mr_index),
                             event_type_name(static_cast<std::uint32_t>(event.type)));
    if (!summary.description.empty())
        std::cout << "  " << summary.description;
    std::cout << std::format("\n{:19}{}\n", "", hex(Bytes(event.digest)));
    if (!summary.data.empty())
        std::cout << std::format("{:19}{}\n", "", summary.data);
}

void print_table(const DecodedLog& log, const std::string& file, std::size_t size) {
    std::cout << std::format("{}: event log by \"{}\", {} events\n", file, log.vendor_info,
                             log.events.size());
    for (const event_log::Event& event : log.events)
        print_event(event);
    if (log.error) // the registers of half a log would only mislead
        return;
    std::cout << "registers after replay:\n";
    print_registers(log, "  ");
    std::cout << std::format("{} of {} bytes used\n", log.used, size);
}

nlohmann::ordered_json json_of(const event_log::Event& event) {
    const Summary summary = summarise(event);
    const auto type = static_cast<std::uint32_t>(event.type);
    return {{"offset", event.offset},
            {"mr_index", event.mr_index},
            {"register", register_key(event.mr_index)},
            {"type", type},
            {"type_name", event_type_name(type)},
            {"description", summary.description},
            {"digest", hex(Bytes(event.digest))},
            {"size", event.data.size()},
            {"summary", summary.data},
            {"data", hex(event.data)}};
}

nlohmann::ordered_json json_of(const DecodedLog& log, std::size_t size) {
    nlohmann::ordered_json json{{"vendor_info", log.vendor_info},
                                {"events", nlohmann::ordered_json::array()}};
    for (const event_log::Event& event : log.events)
        json["events"].push_back(json_of(event));
    json["used"] = log.used;
    if (log.announced)
        json["announced"] = *log.announced;
    json["size"] = size;
    if (log.error) {
        json["error"] = sentence(log.error->fault);
        return json;
    }
    json["registers"] = registers_of(log);
    return json;
}

} // namespace

Outcome<ExitCode> decode(const std::string& file, bool json) {
    const auto bytes = TRY(read_file(file));
    const DecodedLog log = TRY(of_file(file, decode_log(bytes)));
    if (json)
        print_json(json_of(log, bytes.size()));
    else
        print_table(log, file, bytes.size());
    if (log.error)
        return std::unexpected(failure(file, *log.error));
    return ExitCode::good;
}

Outcome<ExitCode> replay(const std::string& file, bool json) {
    const auto bytes = TRY(read_file(file));
    const DecodedLog log = TRY(of_file(file, decode_log(bytes)));
    if (log.error)
        return std::unexpected(failure(file, *log.error));
    if (json)
        print_json(registers_of(log));
    else
        print_registers(log, "");
    return ExitCode::good;
}

} // namespace tdshim::tools
