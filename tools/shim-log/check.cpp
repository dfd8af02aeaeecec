// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-log/commands.hpp"

#include <algorithm>
#include <format>
#include <iostream>
#include <optional>

#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/look.hpp"
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
        return TRY(of_file(*file, bytes, registers_of_quote(bytes)));
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

/// "RTMR[2], RTMR[3]"
std::string names_of(const std::vector<RegisterName>& registers) {
    std::string names;
    for (const RegisterName& name : registers)
        names += (names.empty() ? "" : ", ") + name.name;
    return names;
}

/// What nothing of `with`, a file, is compared with; nothing where all registers were.
void print_not_compared(std::string_view with, const std::optional<std::string>& file,
                        const std::vector<RegisterName>& registers) {
    if (!registers.empty())
        std::cout << std::format("not compared with {}{}: {}\n", with,
                                 file ? "" : ", for none was given", names_of(registers));
}

/// A policy's values for registers that a log does not lead to.
void print_unused(const NotCompared& left, const References& references) {
    std::vector<RegisterName> unused;
    for (const RegisterName& name : left.with_td)
        if (!name.key.starts_with("rtmr") &&
            !std::ranges::contains(left.with_policy, name.key, &RegisterName::key))
            unused.push_back(name);
    if (!unused.empty())
        std::cout << std::format("of {} compared with nothing: {}\n", *references.policy,
                                 names_of(unused));
}

/// How many events have a part that could be otherwise without any register telling.
std::size_t events_not_covered(const DecodedLog& log, const LogCoverage& coverage) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < log.events.size(); ++i)
        count += parts_not_covered(log.events[i], coverage.events[i]).empty() ? 0U : 1U;
    return count;
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
                                 printable(log.vendor_info));
}

/// What a check found.
struct Result {
    DecodedLog log;
    LogCoverage coverage;
    std::vector<Finding> findings;
    NotCompared left;
    std::size_t names_left = 0;     ///< events of RTMR[0] whose names nothing covers
    std::size_t partly_covered = 0; ///< events that have a part which no register tells of
    std::uint64_t debug_bits = 0;   ///< of ATTRIBUTES, that the policy takes
};

void print_appended(const LogCoverage& coverage) {
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (coverage.appended[rtmr] != 0)
            std::cout << appended_text(coverage, rtmr) << '\n';
}

void print_left(const Result& result, const References& references) {
    print_not_compared("a policy", references.policy, result.left.with_policy);
    print_not_compared("a TDREPORT or quote",
                       references.report ? references.report : references.quote,
                       result.left.with_td);
    if (references.policy)
        print_unused(result.left, references);
    if (references.report)
        std::cout << "not checked of the TDREPORT: its MAC and REPORTDATA\n";
    if (references.quote)
        std::cout << "not checked of the quote: its signature, certificates and REPORTDATA "
                     "(shim-attest verify does)\n";
    if (result.names_left != 0)
        std::cout << std::format(
            "without a policy for RTMR[0]: what {} of its events are called is "
            "covered by nothing\n",
            result.names_left);
    std::cout << "covered by no register: the log's header, what is behind its events";
    if (result.partly_covered != 0)
        std::cout << std::format(", parts of {} events (shim-log decode names them)",
                                 result.partly_covered);
    std::cout << '\n';
}

void print_text(const Result& result, const std::string& file, const References& references) {
    print_make(result.log);
    print_appended(result.coverage);
    print_left(result, references);
    if (result.debug_bits != 0)
        std::cout << std::format("WARNING: {} takes a TD under debug (ATTRIBUTES {}), whose VMM "
                                 "reads and writes it: agreement proves nothing\n",
                                 *references.policy, hex(result.debug_bits));
    for (const Finding& finding : result.findings)
        std::cout << "differs: " << printable(finding.text) << '\n';
    if (result.findings.empty())
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

nlohmann::ordered_json json_of(const Result& result, bool is_bare_td) {
    nlohmann::ordered_json json{
        {"agrees", result.findings.empty()},
        {"differences", nlohmann::ordered_json::array()},
        {"another_make", is_of_another_make(result.log)
                             ? nlohmann::ordered_json(printable(result.log.vendor_info))
                             : nlohmann::ordered_json()},
        {"appended", nlohmann::ordered_json::object()},
        {"not_compared",
         {{"policy", json_of(result.left.with_policy)}, {"td", json_of(result.left.with_td)}}},
        {"names_not_covered", result.names_left},
        {"partly_covered", result.partly_covered},
        {"accepts_debug", result.debug_bits != 0},
        {"not_checked", is_bare_td ? nlohmann::ordered_json::array({"signature", "report_data"})
                                   : nlohmann::ordered_json::array()}};
    for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
        if (result.coverage.appended[rtmr] != 0)
            json["appended"][key_of_rtmr(rtmr)] = result.coverage.appended[rtmr];
    for (const Finding& finding : result.findings)
        json["differences"].push_back({{"register", finding.register_key},
                                       {"description", finding.description},
                                       {"input", finding.origin},
                                       {"text", finding.text}});
    return json;
}

Result result_of(DecodedLog log, const std::optional<TdRegisters>& td,
                 const std::optional<Policy>& wanted) {
    LogCoverage coverage = coverage_of(log);
    std::vector<Finding> findings = differences(log, coverage, td, wanted);
    // The events that lead to a register are listed with it.
    const bool knows_names = wanted && wanted->rtmr[0];
    const std::size_t names_left = knows_names ? 0 : names_not_covered(log, coverage);
    const std::size_t partly_covered = events_not_covered(log, coverage);
    return {.log = std::move(log),
            .coverage = std::move(coverage),
            .findings = std::move(findings),
            .left = not_compared(td, wanted),
            .names_left = names_left,
            .partly_covered = partly_covered,
            .debug_bits = wanted ? debug_bits(*wanted) : 0};
}

} // namespace

Outcome<ExitCode> check(const std::string& file, const References& references, bool json) {
    const auto wanted = TRY(policy(references));
    const auto td = TRY(td_registers(references));
    const auto bytes = TRY(read_file(file));
    DecodedLog log = TRY(of_file(file, decode_log(bytes)));
    if (log.error)
        return std::unexpected(failure(file, *log.error));
    const Result result = result_of(std::move(log), td, wanted);
    if (json)
        print_json("shim-log-check/1", json_of(result, td.has_value()));
    else
        print_text(result, file, references);
    return result.findings.empty() ? ExitCode::good : ExitCode::check_failed;
}

} // namespace tdshim::tools
