// SPDX-License-Identifier: Apache-2.0
//
// Where Linux in a TD has quotes from. Each source is there or not, and when it is there it gives a
// quote or fails.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shim/formats/tdx/report.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

struct CollectedQuote {
    std::vector<std::byte> quote;
    std::string source; ///< "configfs-tsm"
};

/// What Linux means by `error` where it has no quote: whose fault it is, and what helps.
[[nodiscard]] std::string_view meaning_of_no_quote(int error);

/// Whether it is a quote for `data`: Linux passes on what a host wrote beside an error, or nothing
/// at all [Linux drivers/virt/coco/tdx-guest/tdx-guest.c, tdx_report_new: it looks at no status].
/// Errors name the source.
[[nodiscard]] Outcome<> check_quote(const CollectedQuote& collected, const tdx::ReportData& data);

/// By configfs-tsm, of Linux 6.7 and later [Linux Documentation/ABI/testing/configfs-tsm-report].
/// configfs is mounted if it is not. Nothing where the kernel has no provider. Errors name the file
/// and what the host may lack.
[[nodiscard]] Outcome<std::optional<CollectedQuote>> quote_by_tsm(const tdx::ReportData& data);

/// By a report of /dev/tdx_guest, of Linux 6.2 and later [Linux Documentation/virt/coco/
/// tdx-guest.rst], and the host's quoting service at `service`, such as "vsock:4050". Nothing where
/// there is no such device.
[[nodiscard]] Outcome<std::optional<CollectedQuote>> quote_by_device(const tdx::ReportData& data,
                                                                     const std::string& service);

} // namespace tdshim::tools
