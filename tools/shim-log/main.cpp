// SPDX-License-Identifier: Apache-2.0
//
// shim-log CCEL-FILE: decodes an event log, replays it and prints the registers that it leads to.

#include <format>
#include <iostream>
#include <optional>
#include <vector>

#include "shim/formats/event_log/reader.hpp"
#include "shim/measure/register_bank.hpp"
#include "tools/common/command.hpp"
#include "tools/common/files.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-log/event_names.hpp"
#include "tools/shim-log/summary.hpp"

namespace tdshim::tools { namespace {

/// A log as far as it could be read.
struct DecodedLog {
    std::string vendor_info;
    std::vector<event_log::Event> events;
    measure::RegisterBank registers; ///< after the events
    std::size_t used = 0;            ///< bytes of the log up to the end of the last event
    std::optional<Error> error;      ///< why there is no more
};

/// Events for MRTD, which only the TDX module extends, and EV_NO_ACTION are records without an
/// extension.
Result<void> replay(const event_log::Event& event, measure::RegisterBank& registers) {
    if (event.mr_index == 0 || event.type == event_log::EventType::no_action)
        return {};
    return registers.extend(event.mr_index - 1, event.digest);
}

Result<DecodedLog> decode(Bytes log) {
    auto reader = TRY(event_log::LogReader::open(log));
    DecodedLog decoded;
    const Bytes vendor = reader.vendor_info();
    decoded.vendor_info = printable({reinterpret_cast<const char*>(vendor.data()), vendor.size()});
    decoded.used = reader.offset();
    while (true) {
        const auto event = reader.next();
        if (!event) {
            decoded.error = event.error();
            return decoded;
        }
        if (!*event)
            return decoded;
        TRY(replay(**event, decoded.registers));
        decoded.events.push_back(**event);
        decoded.used = reader.offset();
    }
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
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        std::cout << std::format("  RTMR[{}] {}\n", rtmr, hex(Bytes(log.registers.value(rtmr))));
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
    json["size"] = size;
    if (log.error) {
        json["error"] = sentence(log.error->fault);
        return json;
    }
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        json["registers"]["rtmr" + std::to_string(rtmr)] = hex(Bytes(log.registers.value(rtmr)));
    return json;
}

Outcome<ExitCode> run(const std::string& file, bool json) {
    const auto bytes = TRY(read_file(file));
    const DecodedLog log = TRY(of_file(file, decode(bytes)));
    if (json)
        print_json(json_of(log, bytes.size()));
    else
        print_table(log, file, bytes.size());
    if (log.error)
        return std::unexpected(failure(file, *log.error));
    return ExitCode::good;
}

}} // namespace tdshim::tools

int main(int argc, char** argv) {
    using namespace tdshim;
    std::string file;
    bool json = false;
    tools::Command command("shim-log", "Decodes a confidential-computing event log and replays it.",
                           "shim-log /sys/firmware/acpi/tables/data/CCEL");
    command.options().add_option("CCEL-FILE", file, "event log")->required();
    command.add_json_option(json);
    return command.run(argc, argv, [&] { return tools::run(file, json); });
}
