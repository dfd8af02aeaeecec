// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-guest/archive.hpp"

namespace tdshim::tools {
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 20;

} // namespace

Failure archive_failure(const std::string& file, archive* of) {
    const char* const text = ::archive_error_string(of);
    return failure(file, text == nullptr ? "cannot be read" : text);
}

Outcome<> check_archive(const std::string& file, archive* of, int result) {
    if (result < ARCHIVE_WARN)
        return std::unexpected(archive_failure(file, of));
    return {};
}

Outcome<ArchiveReader> open_decompressed(const std::string& file) {
    ArchiveReader reader(::archive_read_new());
    ::archive_read_support_filter_all(reader.get());
    ::archive_read_support_format_raw(reader.get());
    ::archive_read_support_format_empty(reader.get());
    TRY(check_archive(file, reader.get(),
                      ::archive_read_open_filename(reader.get(), file.c_str(), piece_size)));
    return reader;
}

} // namespace tdshim::tools
