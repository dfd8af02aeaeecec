// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-log/commands.hpp"

#include <algorithm>
#include <format>
#include <iostream>
#include <optional>

#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/comparison.hpp"

namespace tdshim::tools {
namespace {

Outcome<std::optional<TdRegisters>> td_registers(const References& references) {
    if (const auto& file = references.report) {
        const auto bytes = TRY(read_file(*file));
        return TRY(registers_of_report(*file, bytes));
    }
    if (const auto& file = references.quote) {
        const auto bytes = TRY(read_file(*file));
        return TRY(of_file(*file, registers_of_quote(bytes)));
    }
    return std::nullopt;
}

Outcome<std::optional<Policy>> policy(const References& references) {
    if (!references.policy)
        return std::nullopt;
    const auto bytes = TRY(read_file(*references.policy));
    return TRY(parse_policy(*references.policy, bytes));
}

/// "2 events appended by the OS in RTMR[3]"
std::string appended_text(const LogCoverage& coverage, std::uint32_t rtmr) {
    const std::size_t count = coverage.appended[rtmr];
    return std::format("{} event{} appended by the OS in {}", count, count == 1 ? "" : "s",
                       name_of_rtmr(rtmr));
}

/// "not compared with a policy: RTMR[2], RTMR[3]"; nothing where all were.
void print_not_compared(std::string_view with, const std::vector<RegisterName>& registers) {
    std::string names;
    for (const RegisterName& name : registers)
        names += (names.empty() ? "" : ", ") + name.name;
    if (!names.empty())
        std::cout << std::format("not compared with {}: {}\n", with, names);
}

/// How many events of RTMR[0] could be called otherwise in this log: only a policy names them.
std::size_t names_not_covered(const DecodedLog& log, const LogCoverage& coverage) {
    return static_cast<std::size_t>(
        std::ranges::count_if(extensions_of(log, 0), [&](std::size_t index) {
            return std::ranges::contains(
                parts_not_covered(log.events[index], coverage.events[index]), "name",
                &LogPart::name);
        }));
}

/// What names and ends a log has to have is known of this firmware's alone.
bool is_of_another_make(const DecodedLog& log) {
    return !log.announced;
}

void print_make(const DecodedLog& log) {
    if (is_of_another_make(log))
        std::cout << std::format("the log is of another make, by \"{}\": names of RTMR[1]'s files "
                                 "and where the firmware's events end are not checked\n",
                                 log.vendor_info);
}

void print_text(const LogCoverage& coverage, const NotCompared& left, std::size_t names_left,
                const std::vector<Finding>& findings, const std::string& file,
                const References& references) {
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (coverage.appended[rtmr] != 0)
            std::cout << appended_text(coverage, rtmr) << '\n';
    print_not_compared("a policy", left.with_policy);
    print_not_compared("a TDREPORT or quote", left.with_td);
    if (names_left != 0)
        std::cout << std::format(
            "without a policy for RTMR[0]: what {} of its events are called is "
            "covered by nothing\n",
            names_left);
    for (const Finding& finding : findings)
        std::cout << "differs: " << printable(finding.text) << '\n';
    if (findings.empty())
        for (const auto& other : {references.policy, references.report, references.quote})
            if (other)
                std::cout << std::format("{} agrees with {}\n", file, *other);
}

nlohmann::ordered_json json_of(const std::vector<RegisterName>& registers) {
    nlohmann::ordered_json keys = nlohmann::ordered_json::array();
    for (const RegisterName& name : registers)
        keys.push_back(name.key);
    return keys;
}

nlohmann::ordered_json json_of(const DecodedLog& log, const LogCoverage& coverage,
                               const NotCompared& left, std::size_t names_left,
                               const std::vector<Finding>& findings) {
    nlohmann::ordered_json json{
        {"agrees", findings.empty()},
        {"differences", nlohmann::ordered_json::array()},
        {"another_make", is_of_another_make(log) ? nlohmann::ordered_json(log.vendor_info)
                                                 : nlohmann::ordered_json()},
        {"appended", nlohmann::ordered_json::object()},
        {"not_compared", {{"policy", json_of(left.with_policy)}, {"td", json_of(left.with_td)}}},
        {"names_not_covered", names_left}};
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (coverage.appended[rtmr] != 0)
            json["appended"][key_of_rtmr(rtmr)] = coverage.appended[rtmr];
    for (const Finding& finding : findings)
        json["differences"].push_back({{"register", finding.register_key},
                                       {"description", finding.description},
                                       {"input", finding.origin},
                                       {"text", finding.text}});
    return json;
}

} // namespace

Outcome<ExitCode> check(const std::string& file, const References& references, bool json) {
    const auto wanted = TRY(policy(references));
    const auto td = TRY(td_registers(references));
    const auto bytes = TRY(read_file(file));
    const DecodedLog log = TRY(of_file(file, decode_log(bytes)));
    if (log.error)
        return std::unexpected(failure(file, *log.error));
    const LogCoverage coverage = coverage_of(log);
    const std::vector<Finding> findings = differences(log, coverage, td, wanted);
    const NotCompared left = not_compared(td, wanted);
    // The events that lead to a register are listed with it.
    const bool knows_names = wanted && wanted->rtmr[0];
    const std::size_t names_left = knows_names ? 0 : names_not_covered(log, coverage);
    if (json) {
        print_json("shim-log-check/1", json_of(log, coverage, left, names_left, findings));
    } else {
        print_make(log);
        print_text(coverage, left, names_left, findings, file, references);
    }
    return findings.empty() ? ExitCode::good : ExitCode::check_failed;
}

} // namespace tdshim::tools
