// SPDX-License-Identifier: Apache-2.0
//
// What shim-attest does: evidence is collected in a TD, shown, and verified elsewhere.
#pragma once

#include <string>

#include "tools/attestation/verdict.hpp"
#include "tools/common/exit_code.hpp"

namespace tdshim::tools {

struct VerifyOptions {
    std::string evidence; ///< one file, or:
    std::string quote;
    std::string log;
    std::string policy;
    std::string nonce;       ///< hexadecimal
    std::string bound;       ///< file that the TD bound with it
    std::string report_data; ///< hexadecimal, of somebody who has another way to bind
    std::string servtd_hash; ///< hexadecimal
    std::string collateral;  ///< folder
    std::string root;        ///< PEM; empty: Intel's
    std::string time;        ///< RFC 3339; empty: now
    bool ignores_dates = false;
    std::uint64_t min_evaluation = 0;
    std::vector<Leniency> lenient;
    bool json = false;
};

/// Where Linux has quotes from.
enum class QuoteSource {
    any, ///< the first of these that is there
    tsm,
    device,
};

struct CollectOptions {
    std::string nonce;  ///< hexadecimal
    std::string bound;  ///< file to bind with it
    std::string output; ///< file
    std::string place;  ///< whom to send it to
    QuoteSource source = QuoteSource::any;
    std::string service = "vsock:4050"; ///< quoting service, where Linux has no quotes of its own
};

/// Writes the evidence of the TD that it runs in. Exit code 3 where there is none to be had.
[[nodiscard]] Outcome<ExitCode> collect(const CollectOptions& options);

struct ShowOptions {
    std::string file;
    bool json = false;
};

/// Prints what a quote, evidence or a TDREPORT says, of which nothing is checked but its form.
[[nodiscard]] Outcome<ExitCode> show(const ShowOptions& options);

/// Prints a line for each check. check_failed when one failed.
[[nodiscard]] Outcome<ExitCode> verify(const VerifyOptions& options);

} // namespace tdshim::tools
