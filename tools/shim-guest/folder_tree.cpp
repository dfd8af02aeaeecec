// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <vector>

#include "tools/common/descriptor.hpp"
#include "tools/common/hash.hpp"
#include "tools/shim-guest/tree_sources.hpp"

namespace tdshim::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_size = std::size_t{1} << 20;
/// What gives a program rights: of the attributes that a file may have the one that is kept.
constexpr const char* capability = "security.capability";

Outcome<std::vector<fs::path>> paths_in(const std::string& folder) {
    std::error_code error;
    std::vector<fs::path> paths;
    const auto end = fs::recursive_directory_iterator();
    auto at = fs::recursive_directory_iterator(folder, error);
    for (; !error && at != end; at.increment(error))
        paths.push_back(at->path().lexically_relative(folder));
    if (error)
        return std::unexpected(failure(folder, error.message()));
    std::ranges::sort(paths);
    return paths;
}

void keep_capability(archive_entry* entry, const std::string& file) {
    std::array<std::byte, 256> value{};
    const ssize_t size = ::lgetxattr(file.c_str(), capability, value.data(), value.size());
    if (size > 0)
        ::archive_entry_xattr_add_entry(entry, capability, value.data(),
                                        static_cast<std::size_t>(size));
}

Outcome<> copy_file(TreeWriter& writer, const std::string& file, std::uint64_t size,
                    TreeFile& into) {
    const Descriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!input.is_open())
        return std::unexpected(system_failure(file, "cannot open", errno));
    std::vector<std::byte> piece(piece_size);
    Hash hash;
    while (const std::size_t count = TRY(read_piece(file, input, piece))) {
        hash.add(Bytes(piece).first(count));
        TRY(writer.write(Bytes(piece).first(count)));
    }
    const measure::FileDigest digest = TRY(hash.finish(file));
    if (digest.size != size)
        return std::unexpected(failure(file, "changed while it was read"));
    into.size = digest.size;
    into.digest = digest.digest;
    return {};
}

Outcome<> add_path(TreeWriter& writer, const std::string& folder, const fs::path& path) {
    const std::string file = (fs::path(folder) / path).string();
    struct stat status{};
    if (::lstat(file.c_str(), &status) != 0)
        return std::unexpected(system_failure(file, "cannot be looked at", errno));
    const ArchiveEntry entry = make_entry(path.string(), status.st_mode);
    keep_capability(entry.get(), file);
    if (S_ISDIR(status.st_mode)) {
        TRY(writer.begin(entry.get(), FileKind::folder));
        return {};
    }
    if (S_ISLNK(status.st_mode)) {
        std::error_code error;
        ::archive_entry_set_symlink(entry.get(), fs::read_symlink(file, error).c_str());
        if (error)
            return std::unexpected(failure(file, error.message()));
        TRY(writer.begin(entry.get(), FileKind::symlink));
        return {};
    }
    if (!S_ISREG(status.st_mode))
        return std::unexpected(writer.bad(path.string(), no_such_kind));
    ::archive_entry_set_size(entry.get(), status.st_size);
    TreeFile* const into = TRY(writer.begin(entry.get(), FileKind::regular));
    return copy_file(writer, file, static_cast<std::uint64_t>(status.st_size), *into);
}

} // namespace

Outcome<Tree> write_folder(const std::string& folder, TreeWriter writer) {
    for (const fs::path& path : TRY(paths_in(folder)))
        TRY(add_path(writer, folder, path));
    return writer.finish();
}

} // namespace tdshim::tools
