// SPDX-License-Identifier: Apache-2.0
//
// libarchive's objects, which go with their owners, and its errors as values.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <memory>

#include "tools/common/failure.hpp"

namespace tdshim::tools {

struct FreeReader {
    void operator()(archive* reader) const { ::archive_read_free(reader); }
};
struct FreeWriter {
    void operator()(archive* writer) const { ::archive_write_free(writer); }
};
struct FreeEntry {
    void operator()(archive_entry* entry) const { ::archive_entry_free(entry); }
};
using ArchiveReader = std::unique_ptr<archive, FreeReader>;
using ArchiveWriter = std::unique_ptr<archive, FreeWriter>;
using ArchiveEntry = std::unique_ptr<archive_entry, FreeEntry>;

/// What libarchive said of `of`, in words about `file`.
[[nodiscard]] Failure archive_failure(const std::string& file, archive* of);

/// That `result` is none of its errors; its warnings are none.
[[nodiscard]] Outcome<> check_archive(const std::string& file, archive* of, int result);

/// A reader of the raw bytes of `file`, decompressed if its content is compressed.
[[nodiscard]] Outcome<ArchiveReader> open_decompressed(const std::string& file);

} // namespace tdshim::tools
