// SPDX-License-Identifier: Apache-2.0
//
// TDREPORTs and quotes: registers come out of them or an error, and nothing is read outside.
#include <cstddef>
#include <cstdlib>

#include "tools/measurements/td_registers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tdshim;
    const Bytes bytes = std::as_bytes(std::span(data, size));
    const auto quote = tools::registers_of_quote(bytes);
    if (quote && tools::td_info_hash(quote->info) == crypto::Digest{})
        std::abort();
    const auto report = tools::registers_of_report("TDREPORT", bytes);
    const auto hash = read_at<crypto::Digest>(bytes, offsetof(tdx::ReportMac, tee_info_hash));
    if (report && (!hash || tools::td_info_hash(report->info) != *hash))
        std::abort();
    const auto whole = read_at<tdx::Report>(bytes, 0);
    if (report && (!whole || whole->report_mac.tee_tcb_info_hash !=
                                 crypto::sha384(bytes_of(whole->tee_tcb_info))))
        std::abort();
    return 0;
}
