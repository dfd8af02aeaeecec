// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ctime>
#include <format>
#include <iostream>

#include "tools/attestation/evidence.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-attest/commands.hpp"

namespace tdshim::tools {
namespace {

Failure wrong_usage(const std::string& text) {
    return {.text = text + " (see shim-attest verify --help)"};
}

Outcome<Evidence> evidence_of(const VerifyOptions& options) {
    if (options.evidence.empty() == options.quote.empty())
        return std::unexpected(wrong_usage("give EVIDENCE or --quote FILE"));
    if (!options.evidence.empty()) {
        if (!options.log.empty())
            return std::unexpected(wrong_usage("--ccel goes with --quote"));
        return parse_evidence(options.evidence, TRY(read_file(options.evidence, max_message_size)));
    }
    Evidence evidence{
        .name = options.quote, .quote = TRY(read_file(options.quote, max_message_size)), .log = {}};
    if (!options.log.empty())
        evidence.log = TRY(read_file(options.log, max_message_size));
    return evidence;
}

Outcome<std::vector<std::byte>> bytes_of_option(const std::string& name, const std::string& text) {
    if (auto bytes = bytes_of_hex(text))
        return std::move(*bytes);
    return std::unexpected(wrong_usage(
        std::format("{}: expected pairs of hexadecimal digits, found \"{}\"", name, text)));
}

Outcome<std::optional<tdx::ReportData>> report_data_of(const VerifyOptions& options) {
    if (options.nonce.empty() && !options.bound.empty())
        return std::unexpected(wrong_usage("--bind goes with --nonce"));
    if (!options.report_data.empty()) {
        const auto bytes = TRY(bytes_of_option("--report-data", options.report_data));
        tdx::ReportData data{};
        if (bytes.size() > data.size())
            return std::unexpected(wrong_usage(std::format(
                "--report-data: expected at most {} bytes, found {}", data.size(), bytes.size())));
        std::ranges::copy(bytes, data.begin());
        return data;
    }
    if (options.nonce.empty())
        return std::nullopt;
    const auto nonce = TRY(parse_nonce(options.nonce));
    const auto bound = TRY(read_bound(options.bound));
    return TRY(tools::report_data_of(nonce, bound));
}

/// Zero where none is asked for.
Outcome<crypto::Digest> servtd_hash_of(const VerifyOptions& options) {
    if (options.servtd_hash.empty())
        return crypto::Digest{};
    if (const auto digest = digest_of_hex(options.servtd_hash))
        return *digest;
    return std::unexpected(wrong_usage(std::format(
        "--servtd-hash: expected 96 hexadecimal digits, found \"{}\"", options.servtd_hash)));
}

Outcome<Moment> moment_of(const VerifyOptions& options) {
    if (options.time.empty())
        return Moment{.time = std::time(nullptr), .ignores_dates = options.ignores_dates};
    const auto time = time_of(options.time);
    if (!time)
        return std::unexpected(wrong_usage(std::format(
            "--time: expected such as 2023-06-20T12:00:00Z, found \"{}\"", options.time)));
    return Moment{.time = *time, .ignores_dates = options.ignores_dates};
}

Outcome<std::optional<Policy>> policy_of(const VerifyOptions& options) {
    if (options.policy.empty())
        return std::nullopt;
    const auto bytes = TRY(read_file(options.policy, max_message_size));
    return TRY(parse_policy(options.policy, bytes));
}

/// Empty for Intel's.
Outcome<Chain> root_of(const VerifyOptions& options) {
    if (options.root.empty())
        return Chain{};
    const auto bytes = TRY(read_file(options.root, max_message_size));
    return parse_chain(options.root, bytes);
}

std::string_view word_of(Judgement judgement) {
    switch (judgement) {
    case Judgement::passed: return "passed";
    case Judgement::accepted: return "accepted";
    case Judgement::failed: break;
    }
    return "FAILED";
}

void print(const std::vector<Check>& checks, bool json) {
    nlohmann::ordered_json object{{"good", holds(checks)},
                                  {"checks", nlohmann::ordered_json::array()}};
    for (const Check& check : checks)
        if (json)
            object["checks"].push_back({{"name", check.name},
                                        {"outcome", word_of(check.judgement)},
                                        {"text", printable(check.text)}});
        else
            std::cout << std::format("{:<8}  {}: {}\n", word_of(check.judgement), check.name,
                                     printable(check.text));
    if (json)
        print_json("shim-attest-verify/1", object);
    else
        std::cout << (holds(checks) ? "good: all of it holds\n" : "BAD: trust nothing of it\n");
}

} // namespace

Outcome<ExitCode> verify(const VerifyOptions& options) {
    const Evidence evidence = TRY(evidence_of(options));
    Demands demands{.policy = TRY(policy_of(options)),
                    .report_data = TRY(report_data_of(options)),
                    .servtd_hash = TRY(servtd_hash_of(options)),
                    .collateral = nullptr,
                    .root = nullptr,
                    .moment = TRY(moment_of(options)),
                    .min_evaluation = options.min_evaluation,
                    .lenient = {options.lenient.begin(), options.lenient.end()}};
    std::optional<Collateral> collateral;
    if (!options.collateral.empty())
        collateral = TRY(read_collateral(options.collateral));
    demands.collateral = collateral ? &*collateral : nullptr;
    const Chain root = TRY(root_of(options));
    demands.root = root.empty() ? nullptr : root.front().get();
    const auto checks = verdict_on(evidence, demands);
    print(checks, options.json);
    return holds(checks) ? ExitCode::good : ExitCode::check_failed;
}

} // namespace tdshim::tools
