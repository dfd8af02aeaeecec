// SPDX-License-Identifier: Apache-2.0
//
// One tar archive of the files of a root file system, for who packs it, and what they are.
#pragma once

#include <string>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "tools/shim-guest/archive.hpp"
#include "tools/shim-guest/tree.hpp"

namespace tdshim::tools {

/// Relative, and nowhere above where it begins.
[[nodiscard]] bool is_good_path(std::string_view path);
/// "./a//b/" is "a/b"; "./" is "".
[[nodiscard]] std::string normal_path(std::string_view path);
/// The entry's name as it is; empty where libarchive cannot tell it.
[[nodiscard]] std::string path_of(archive_entry* entry);

/// What stands in a folder's or an added file's entry: files of root's, without times.
[[nodiscard]] ArchiveEntry make_entry(const std::string& path, unsigned mode);

class TreeWriter {
  public:
    /// Writes to the pipe `output`. `source` is for messages.
    TreeWriter(std::string source, int output);

    /// Begins a file, whose content is to follow where it is a regular one. Errors: one of this
    /// path that was there before.
    Outcome<TreeFile*> begin(archive_entry* entry, FileKind kind);
    Outcome<> write(Bytes bytes);
    /// A regular file, whole.
    Outcome<> add(const AddedFile& file);
    /// Ends the archive, with the folders that a guest's init needs and that are missing. Errors:
    /// one of these that is no folder.
    Outcome<Tree> finish();

    /// Whether a hard link may lead there.
    [[nodiscard]] bool has_file(const std::string& path) const;
    [[nodiscard]] Failure bad(std::string_view path, std::string_view why) const;

  private:
    /// That nothing is below what is no folder.
    [[nodiscard]] Outcome<> check_place(const std::string& path, FileKind kind) const;

    std::string source_;
    ArchiveWriter writer_;
    Tree tree_;
};

/// What a root file system of a guest has not.
inline constexpr const char* no_such_kind =
    "is a device, a FIFO or a socket, which a root file system of a guest has not";

} // namespace tdshim::tools
