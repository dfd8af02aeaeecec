// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "tools/collection/quote_source.hpp"
#include "tools/collection/sender.hpp"
#include "tools/quoting/service_messages.hpp"

namespace tdshim::tools {
namespace {

constexpr const char* device = "/dev/tdx_guest";

/// TDX_CMD_GET_REPORT0's [Linux include/uapi/linux/tdx-guest.h].
struct ReportRequest {
    tdx::ReportData data;
    std::array<std::byte, sizeof(tdx::Report)> report;
};
constexpr unsigned long get_report_0 = _IOWR('T', 1, ReportRequest);

Outcome<std::vector<std::byte>> report_by(int descriptor, const tdx::ReportData& data) {
    ReportRequest request{.data = data, .report = {}};
    if (::ioctl(descriptor, get_report_0, &request) != 0)
        return std::unexpected(system_failure(device, "gives no report", errno));
    return std::vector(request.report.begin(), request.report.end());
}

} // namespace

Outcome<std::optional<CollectedQuote>> quote_by_device(const tdx::ReportData& data,
                                                       const std::string& service) {
    const Descriptor descriptor(::open(device, O_RDWR | O_CLOEXEC));
    if (!descriptor.is_open() && (errno == ENOENT || errno == ENXIO || errno == ENODEV))
        return std::nullopt;
    if (!descriptor.is_open())
        return std::unexpected(system_failure(device, "cannot open", errno));
    const auto report = TRY(report_by(descriptor.number(), data));
    const Descriptor socket = TRY(connect_to(service));
    auto quote = quoting::ask_for_quote(socket.number(), report);
    if (!quote)
        return std::unexpected(failure(service, "quoting service: " + quote.error()));
    return CollectedQuote{std::move(*quote), "tdx_guest and " + service};
}

} // namespace tdshim::tools
