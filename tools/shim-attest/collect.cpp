// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "tools/attestation/evidence.hpp"
#include "tools/collection/evidence_made.hpp"
#include "tools/collection/sender.hpp"
#include "tools/common/files.hpp"
#include "tools/shim-attest/commands.hpp"

namespace tdshim::tools {
namespace {

constexpr ExitCode no_quote_here{3};

Outcome<tdx::ReportData> data_of(const CollectOptions& options) {
    const auto nonce = TRY(parse_nonce(options.nonce));
    const auto bound = TRY(read_bound(options.bound));
    return report_data_of(nonce, bound);
}

Outcome<std::optional<CollectedQuote>> collect_quote(const tdx::ReportData& data,
                                                     const CollectOptions& options) {
    std::optional<CollectedQuote> quote;
    if (options.source != QuoteSource::device)
        quote = TRY(quote_by_tsm(data));
    if (!quote && options.source != QuoteSource::tsm)
        quote = TRY(quote_by_device(data, options.service));
    return quote;
}

ExitCode explain_lack() {
    std::cerr << (is_td() ? "shim-attest: this is a TD, and its Linux has no quotes: neither "
                            "/sys/kernel/config/tsm/report nor /dev/tdx_guest is there. Load the "
                            "module tdx_guest (CONFIG_TDX_GUEST_DRIVER; Linux 6.7 or later for "
                            "configfs)\n"
                          : "shim-attest: this is no TD: CPUID leaf 0x21 is not \"IntelTDX\", and "
                            "neither /sys/kernel/config/tsm/report nor /dev/tdx_guest is there\n");
    return no_quote_here;
}

} // namespace

Outcome<ExitCode> collect(const CollectOptions& options) {
    if (!options.output.empty())
        TRY(check_output(options.output));
    for (const std::string& place : {options.place, options.service})
        if (!place.empty())
            TRY(check_place(place));
    const tdx::ReportData data = TRY(data_of(options));
    const auto quote = TRY(collect_quote(data, options));
    if (!quote)
        return explain_lack();
    TRY(check_quote(*quote, data));
    const std::string text = evidence_text(*quote);
    if (!options.place.empty())
        TRY(send_to(options.place, bytes_of(text)));
    if (!options.output.empty())
        TRY(write_file(options.output, bytes_of(text)));
    if (options.place.empty() && options.output.empty())
        std::cout << text;
    return ExitCode::good;
}

} // namespace tdshim::tools
