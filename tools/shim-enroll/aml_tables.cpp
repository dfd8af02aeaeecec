// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-enroll/aml_tables.hpp"

#include <algorithm>
#include <filesystem>

#include "shim/formats/acpi/tables.hpp"
#include "tools/common/files.hpp"

namespace tdshim::tools {
namespace {

namespace fs = std::filesystem;

/// A table as Linux shows it: whole, and nothing behind it.
Outcome<crypto::Digest> digest_of_table(const std::string& file, Bytes bytes) {
    const Bytes table = TRY(of_file(file, acpi::check_table(bytes, 0)));
    if (table.size() != bytes.size())
        return std::unexpected(
            failure(file, Error{Fault::acpi_length, 4, bytes.size(), table.size()}));
    if (!acpi::is_aml(table))
        return std::unexpected(failure(file, "is an ACPI table, and none of AML"));
    return crypto::sha384(table);
}

Outcome<std::vector<std::string>> files_of(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error))
        if (entry->is_regular_file(error))
            files.push_back(entry->path().string());
    if (error)
        return std::unexpected(system_failure(folder, "cannot be listed", error.value()));
    std::ranges::sort(files);
    return files;
}

} // namespace

Outcome<std::vector<crypto::Digest>> digests_of_aml(const std::string& path) {
    if (std::error_code ignored; !fs::is_directory(path, ignored)) {
        const auto bytes = TRY(read_file(path));
        return std::vector{TRY(digest_of_table(path, bytes))};
    }
    std::vector<crypto::Digest> digests;
    for (const std::string& file : TRY(files_of(path)))
        if (const auto bytes = TRY(read_file(file)); acpi::is_aml(bytes))
            digests.push_back(TRY(digest_of_table(file, bytes)));
    if (digests.empty())
        return std::unexpected(failure(path, "holds no table of AML"));
    return digests;
}

} // namespace tdshim::tools
