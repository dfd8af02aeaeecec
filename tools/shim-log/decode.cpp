// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-log/commands.hpp"

#include <format>
#include <iostream>

#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/coverage.hpp"
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

/// "type, address, size": what can be changed without any register telling.
std::string names_of(const std::vector<LogPart>& parts) {
    std::string names;
    for (const LogPart& part : parts)
        names += (names.empty() ? "" : ", ") + std::string(part.name);
    return names;
}

void print_coverage(const event_log::Event& event, const EventCoverage& coverage) {
    const auto parts = parts_not_covered(event, coverage);
    if (coverage.covered == Covered::other)
        std::cout << std::format("{:19}not what was measured: the digest is of other data\n", "");
    if (!parts.empty())
        std::cout << std::format("{:19}not covered: {}\n", "", names_of(parts));
    if (coverage.is_appended)
        std::cout << std::format("{:19}appended by the OS\n", "");
}

void print_event(const event_log::Event& event, const EventCoverage& coverage) {
    const Summary summary = summarise(event);
    std::cout << std::format("{:>8}  {:<7}  {}", hex(event.offset), register_name(event.mr_index),
                             event_type_name(static_cast<std::uint32_t>(event.type)));
    if (!summary.description.empty())
        std::cout << "  " << summary.description;
    std::cout << std::format("\n{:19}{}\n", "", hex(Bytes(event.digest)));
    if (!summary.data.empty())
        std::cout << std::format("{:19}{}\n", "", summary.data);
    print_coverage(event, coverage);
}

void print_table(const DecodedLog& log, const LogCoverage& coverage, const std::string& file,
                 std::size_t size) {
    std::cout << std::format("{}: event log by \"{}\", {} events\n", file,
                             printable(log.vendor_info), log.events.size());
    for (std::size_t i = 0; i < log.events.size(); ++i)
        print_event(log.events[i], coverage.events[i]);
    if (log.error) // the registers of half a log would only mislead
        return;
    std::cout << "registers after replay:\n";
    print_registers(log, "  ");
    std::cout << std::format("{} of {} bytes used\n", log.used, size)
              << "not covered by any register: the log's header, and what is behind its events\n";
    for (const Finding& finding : coverage.findings)
        std::cout << "differs: " << printable(finding.text) << '\n';
}

nlohmann::ordered_json json_of(const event_log::Event& event, const EventCoverage& coverage) {
    const Summary summary = summarise(event);
    const auto type = static_cast<std::uint32_t>(event.type);
    nlohmann::ordered_json not_covered = nlohmann::ordered_json::array();
    for (const LogPart& part : parts_not_covered(event, coverage))
        not_covered.push_back(part.name);
    return {{"offset", event.offset},
            {"mr_index", event.mr_index},
            {"register", register_key(event.mr_index)},
            {"type", type},
            {"type_name", event_type_name(type)},
            {"description", summary.description},
            {"digest", hex(Bytes(event.digest))},
            {"size", event.data.size()},
            {"summary", summary.data},
            {"data", hex(event.data)},
            {"covered", word_of(coverage.covered)},
            {"not_covered", not_covered},
            {"is_what_was_measured", coverage.covered != Covered::other},
            {"appended_by_os", coverage.is_appended}};
}

nlohmann::ordered_json json_of(const DecodedLog& log, const LogCoverage& coverage,
                               const std::string& file, std::size_t size) {
    nlohmann::ordered_json json{{"vendor_info", printable(log.vendor_info)},
                                {"events", nlohmann::ordered_json::array()}};
    for (std::size_t i = 0; i < log.events.size(); ++i)
        json["events"].push_back(json_of(log.events[i], coverage.events[i]));
    json["used"] = log.used;
    if (log.announced)
        json["announced"] = *log.announced;
    json["size"] = size;
    if (log.error) {
        json["error"] = failure(file, *log.error).text;
        return json;
    }
    json["registers"] = registers_of(log);
    json["differences"] = nlohmann::ordered_json::array();
    for (const Finding& finding : coverage.findings)
        json["differences"].push_back(finding.text);
    return json;
}

} // namespace

Outcome<ExitCode> decode(const std::string& file, bool json) {
    const auto bytes = TRY(read_file(file));
    const DecodedLog log = TRY(of_file(file, decode_log(bytes)));
    const LogCoverage coverage = coverage_of(log);
    if (json)
        print_json("shim-log-decode/1", json_of(log, coverage, file, bytes.size()));
    else
        print_table(log, coverage, file, bytes.size());
    if (log.error)
        return std::unexpected(
            Failure{.text = failure(file, *log.error).text, .is_in_output = true});
    return coverage.findings.empty() ? ExitCode::good : ExitCode::check_failed;
}

Outcome<ExitCode> replay(const std::string& file, bool json) {
    const auto bytes = TRY(read_file(file));
    const DecodedLog log = TRY(of_file(file, decode_log(bytes)));
    if (log.error)
        return std::unexpected(failure(file, *log.error));
    if (json)
        print_json("shim-log-replay/1", registers_of(log));
    else
        print_registers(log, "");
    return ExitCode::good;
}

} // namespace tdshim::tools
