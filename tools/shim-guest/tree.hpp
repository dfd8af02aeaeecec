// SPDX-License-Identifier: Apache-2.0
//
// The files of a root file system, from a folder or a tar archive: checked, and written as one tar
// archive for mksquashfs's like, the same bytes for the same input whoever reads it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shim/crypto/sha384.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

enum class FileKind { regular, folder, symlink, hard_link };

struct TreeFile {
    FileKind kind = FileKind::regular;
    unsigned mode = 0;       ///< the lower twelve bits
    std::uint64_t size = 0;  ///< of regular files
    crypto::Digest digest{}; ///< likewise
    std::string target;      ///< of links
};

/// By path without a "/" in front, sorted.
using Tree = std::map<std::string, TreeFile>;

/// Writes the archive of `source` to the pipe `output`, with the folders that a guest's init needs
/// to find and `source` has not. A folder's files belong to root and have no time; an archive's
/// stay as they are. Errors: names that are absolute or have "..", that are there twice, devices,
/// FIFOs and sockets, hard links to what did not come before, what cannot be read.
[[nodiscard]] Outcome<Tree> write_tree(const std::string& source, int output);

/// A file that is put in.
struct AddedFile {
    std::string path; ///< without a "/" in front
    std::string content;
};

/// The same of the layers of a container image, files, lowest first: of each path what the last of
/// them has, and `added`. Errors besides: whiteouts, and a file in a folder that another layer has
/// a file or a link for.
[[nodiscard]] Outcome<Tree> write_layers(const std::string& source,
                                         const std::vector<std::string>& layers,
                                         const AddedFile& added, int output);

/// The file that `path`, absolute, leads to through symlinks; nothing where it leads nowhere.
[[nodiscard]] std::optional<std::string> follow(const Tree& tree, std::string_view path);

} // namespace tdshim::tools
