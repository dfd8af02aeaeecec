// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <format>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/collection/kernel_files.hpp"
#include "tools/collection/quote_source.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/quote.hpp"

namespace tdshim::tools {
namespace {

constexpr const char* configfs = "/sys/kernel/config";
constexpr const char* reports = "/sys/kernel/config/tsm/report";
constexpr const char* provider_of_td = "tdx_guest";

constexpr const char* no_quote =
    "the host made no quote; does its VMM have a quoting service (of QEMU's tdx-guest object the "
    "property quote-generation-socket)?";

bool is_folder(const char* path) {
    struct stat status{};
    return ::stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/// Whether a kernel with a provider is there; an initramfs has nobody else who mounts.
bool has_reports() {
    if (is_folder(reports))
        return true;
    if (!is_folder(configfs))
        return false;
    static_cast<void>(
        ::mount("configfs", configfs, "configfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr));
    return is_folder(reports);
}

/// A report's folder, which goes with it.
class Entry {
  public:
    Entry() : path_(std::format("{}/shim-attest-{}", reports, ::getpid())) {
        constexpr ::mode_t of_its_owner = 0700;
        error_ = ::mkdir(path_.c_str(), of_its_owner) == 0 ? 0 : errno;
    }
    ~Entry() {
        if (error_ == 0)
            ::rmdir(path_.c_str());
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    [[nodiscard]] int error() const { return error_; }
    [[nodiscard]] std::string file(std::string_view name) const {
        return std::format("{}/{}", path_, name);
    }

  private:
    std::string path_;
    int error_ = 0;
};

} // namespace

// Linux drivers/virt/coco/tdx-guest/tdx-guest.c, fs/configfs/file.c.
std::string_view meaning_of_no_quote(int error) {
    switch (error) {
    case EBUSY:
        return "the host has not answered an earlier request for a quote, which was given up; try "
               "again when it has";
    case ETIMEDOUT:
    case EINTR: return "the host did not answer the request for a quote in time";
    case EFBIG: return "the host gave a quote that is larger than what Linux passes on";
    case EWOULDBLOCK: return "another process asked by the same report";
    default: return no_quote;
    }
}

Outcome<> check_quote(const CollectedQuote& collected, const tdx::ReportData& data) {
    if (collected.quote.empty())
        return std::unexpected(failure(collected.source, no_quote));
    const Quote quote =
        TRY(parse_quote(collected.source + ": what the host gave is no quote", collected.quote));
    if (quote.td.body.report_data != data)
        return std::unexpected(
            failure(collected.source, "the host gave a quote of other REPORTDATA"));
    return {};
}

Outcome<std::optional<CollectedQuote>> quote_by_tsm(const tdx::ReportData& data) {
    if (!has_reports())
        return std::nullopt;
    const Entry entry;
    if (entry.error() == ENXIO) // the kernel knows reports, and nobody makes any
        return std::nullopt;
    if (entry.error() != 0)
        return std::unexpected(system_failure(reports, "cannot make a report", entry.error()));
    const auto provider = read_kernel_line(entry.file("provider"));
    if (provider.value_or("") != provider_of_td)
        return std::unexpected(failure(entry.file("provider"),
                                       std::format("expected \"{}\", found \"{}\"", provider_of_td,
                                                   printable(provider.value_or("")))));
    if (const auto written = write_kernel_file(entry.file("inblob"), data); !written)
        return std::unexpected(
            system_failure(entry.file("inblob"), "cannot write REPORTDATA", written.error()));
    auto quote = read_kernel_file(entry.file("outblob"));
    if (!quote)
        return std::unexpected(system_failure(entry.file("outblob"),
                                              meaning_of_no_quote(quote.error()), quote.error()));
    return CollectedQuote{std::move(*quote), "configfs-tsm"};
}

} // namespace tdshim::tools
