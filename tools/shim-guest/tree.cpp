// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-guest/tree.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <format>
#include <set>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <vector>

#include "tools/common/descriptor.hpp"
#include "tools/common/hash.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-guest/archive.hpp"

namespace tdshim::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_size = std::size_t{1} << 20;
constexpr unsigned mode_bits = 07777;
/// What stage 1 moves its mounts to, and what init mounts itself.
constexpr std::array folders_of_init{"dev", "proc", "run", "sys", "tmp", "var"};
/// What gives a program rights: of the attributes that a file may have the one that is kept.
constexpr const char* capability = "security.capability";

bool is_good_path(std::string_view path) {
    return !path.empty() && !path.starts_with('/') &&
           std::ranges::none_of(fs::path(path), [](const fs::path& part) { return part == ".."; });
}

/// "./a//b/" is "a/b"; "./" is "".
std::string normal(std::string_view path) {
    std::string text;
    for (const fs::path& part : fs::path(path))
        if (!part.empty() && part != ".")
            text += (text.empty() ? "" : "/") + part.string();
    return text;
}

class TreeWriter {
  public:
    TreeWriter(std::string source, int output) : source_(std::move(source)) {
        ::archive_write_set_format_pax_restricted(writer_.get());
        ::archive_write_add_filter_none(writer_.get());
        ::archive_write_set_bytes_per_block(writer_.get(), piece_size);
        // Who reads may be gone behind the end, before padding.
        ::archive_write_set_bytes_in_last_block(writer_.get(), 1);
        ::archive_write_open_fd(writer_.get(), output);
    }

    /// Begins a file, whose content is to follow where it is a regular one.
    Outcome<TreeFile*> begin(archive_entry* entry, FileKind kind) {
        const std::string path = normal(::archive_entry_pathname(entry));
        TreeFile file{.kind = kind,
                      .mode = ::archive_entry_mode(entry) & mode_bits,
                      .size = 0,
                      .digest = {},
                      .target = {}};
        if (kind == FileKind::symlink)
            file.target = ::archive_entry_symlink(entry);
        if (kind == FileKind::hard_link)
            file.target = normal(::archive_entry_hardlink(entry));
        ::archive_entry_set_pathname(entry, path.c_str());
        TRY(write_header(entry, path));
        const auto [place, is_new] = tree_.emplace(path, std::move(file));
        if (!is_new)
            return std::unexpected(bad(path, "is there twice"));
        return &place->second;
    }

    Outcome<> write(Bytes bytes) {
        while (!bytes.empty()) {
            const la_ssize_t size = ::archive_write_data(writer_.get(), bytes.data(), bytes.size());
            if (size <= 0)
                return std::unexpected(archive_failure(source_, writer_.get()));
            bytes = bytes.subspan(static_cast<std::size_t>(size));
        }
        return {};
    }

    /// With the folders that are missing.
    Outcome<Tree> finish() {
        for (const char* const name : folders_of_init) {
            if (tree_.contains(name))
                continue;
            const ArchiveEntry entry(::archive_entry_new());
            ::archive_entry_set_pathname(entry.get(), name);
            ::archive_entry_set_mode(entry.get(), AE_IFDIR | 0755U);
            ::archive_entry_set_mtime(entry.get(), 0, 0);
            TRY(begin(entry.get(), FileKind::folder));
        }
        TRY(check_archive(source_, writer_.get(), ::archive_write_close(writer_.get())));
        return std::move(tree_);
    }

    [[nodiscard]] bool has(const std::string& path) const { return tree_.contains(path); }
    [[nodiscard]] Failure bad(std::string_view path, std::string_view why) const {
        return failure(source_, std::format("{}: {}", printable(path), why));
    }

  private:
    Outcome<> write_header(archive_entry* entry, const std::string& path) {
        if (path.empty()) // the root itself
            ::archive_entry_set_pathname(entry, "./");
        return check_archive(source_, writer_.get(), ::archive_write_header(writer_.get(), entry));
    }

    std::string source_;
    ArchiveWriter writer_{::archive_write_new()};
    Tree tree_;
};

// From a folder.

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
    const ArchiveEntry entry(::archive_entry_new());
    ::archive_entry_set_pathname(entry.get(), path.c_str());
    ::archive_entry_set_mode(entry.get(), status.st_mode);
    ::archive_entry_set_mtime(entry.get(), 0, 0);
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
        return std::unexpected(writer.bad(path.string(), "is a device, a FIFO or a socket, which "
                                                         "a root file system of a guest has not"));
    ::archive_entry_set_size(entry.get(), status.st_size);
    TreeFile* const into = TRY(writer.begin(entry.get(), FileKind::regular));
    return copy_file(writer, file, static_cast<std::uint64_t>(status.st_size), *into);
}

Outcome<Tree> write_folder(const std::string& folder, TreeWriter writer) {
    for (const fs::path& path : TRY(paths_in(folder)))
        TRY(add_path(writer, folder, path));
    return writer.finish();
}

// From an archive.

Outcome<FileKind> kind_of(const TreeWriter& writer, archive_entry* entry) {
    const std::string path = ::archive_entry_pathname(entry);
    if (!is_good_path(path))
        return std::unexpected(writer.bad(path, "is absolute, or has \"..\""));
    if (const char* const target = ::archive_entry_hardlink(entry)) {
        if (!is_good_path(target) || !writer.has(normal(target)))
            return std::unexpected(
                writer.bad(path, std::format("is a hard link to {}, which did not come before it",
                                             printable(target))));
        return FileKind::hard_link;
    }
    switch (::archive_entry_filetype(entry)) {
    case AE_IFREG: return FileKind::regular;
    case AE_IFDIR: return FileKind::folder;
    case AE_IFLNK: return FileKind::symlink;
    default:
        return std::unexpected(writer.bad(path, "is a device, a FIFO or a socket, which a root "
                                                "file system of a guest has not"));
    }
}

Outcome<> copy_content(TreeWriter& writer, const std::string& file, archive* reader,
                       TreeFile& into) {
    std::vector<std::byte> piece(piece_size);
    Hash hash;
    for (;;) {
        const la_ssize_t count = ::archive_read_data(reader, piece.data(), piece.size());
        if (count < 0)
            return std::unexpected(archive_failure(file, reader));
        if (count == 0)
            break;
        hash.add(Bytes(piece).first(static_cast<std::size_t>(count)));
        TRY(writer.write(Bytes(piece).first(static_cast<std::size_t>(count))));
    }
    const measure::FileDigest digest = TRY(hash.finish(file));
    into.size = digest.size;
    into.digest = digest.digest;
    return {};
}

Outcome<ArchiveReader> open_tar(const std::string& file) {
    ArchiveReader reader(::archive_read_new());
    ::archive_read_support_filter_all(reader.get());
    ::archive_read_support_format_tar(reader.get());
    TRY(check_archive(file, reader.get(),
                      ::archive_read_open_filename(reader.get(), file.c_str(), piece_size)));
    return reader;
}

/// The next entry; nullptr behind the last.
Outcome<archive_entry*> next_entry(const std::string& file, archive* reader) {
    archive_entry* entry = nullptr;
    const int result = ::archive_read_next_header(reader, &entry);
    if (result == ARCHIVE_EOF)
        return nullptr;
    TRY(check_archive(file, reader, result));
    return entry;
}

/// Appends the entries that `is_wanted` by their paths.
template <class IsWanted>
Outcome<> append_archive(TreeWriter& writer, const std::string& file, const IsWanted& is_wanted) {
    const ArchiveReader reader = TRY(open_tar(file));
    while (archive_entry* const entry = TRY(next_entry(file, reader.get()))) {
        if (!is_wanted(normal(::archive_entry_pathname(entry))))
            continue;
        const FileKind kind = TRY(kind_of(writer, entry));
        TreeFile* const into = TRY(writer.begin(entry, kind));
        if (kind == FileKind::regular)
            TRY(copy_content(writer, file, reader.get(), *into));
    }
    return {};
}

Outcome<Tree> write_archive(const std::string& file, TreeWriter writer) {
    TRY(append_archive(writer, file, [](const std::string&) { return true; }));
    return writer.finish();
}

// From the layers of a container image.

/// Which layer a path is the last of, and what it is there.
struct Place {
    std::size_t layer = 0;
    bool is_folder = false;
};
using Places = std::map<std::string, Place>;

/// What layers do to each other that a plain archive of all cannot say is refused.
Outcome<> check_layering(const std::string& source, const Places& places) {
    for (const auto& [path, place] : places) {
        const auto parent = places.find(fs::path(path).parent_path().string());
        if (parent != places.end() && !parent->second.is_folder)
            return std::unexpected(failure(
                source, std::format("{}: is in a layer, and its folder is a file or a link in "
                                    "another: make one layer of them",
                                    printable(path))));
    }
    return {};
}

Outcome<Places> places_in(const std::string& source, const std::vector<std::string>& layers) {
    Places places;
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        const ArchiveReader reader = TRY(open_tar(layers[layer]));
        while (archive_entry* const entry = TRY(next_entry(layers[layer], reader.get()))) {
            const std::string path = normal(::archive_entry_pathname(entry));
            if (fs::path(path).filename().string().starts_with(".wh."))
                return std::unexpected(failure(
                    source, std::format("{}: removes a file of a layer below: make one layer of "
                                        "them",
                                        printable(path))));
            places[path] = {layer, ::archive_entry_filetype(entry) == AE_IFDIR};
        }
    }
    TRY(check_layering(source, places));
    return places;
}

/// What `path` is with its symlinks followed, one a call; at most as many as Linux follows.
std::optional<std::string> resolve(const Tree& tree, std::vector<std::string> parts,
                                   unsigned links_left) {
    std::string place;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string next = place + (place.empty() ? "" : "/") + parts[i];
        const auto found = tree.find(next);
        if (found == tree.end())
            return std::nullopt;
        if (found->second.kind != FileKind::symlink) {
            place = next;
            continue;
        }
        const std::string& target = found->second.target;
        fs::path whole =
            target.starts_with('/') ? fs::path(target).relative_path() : fs::path(place) / target;
        for (std::size_t k = i + 1; k < parts.size(); ++k)
            whole /= parts[k];
        std::vector<std::string> rest;
        for (const fs::path& part : whole.lexically_normal())
            if (!part.empty() && part != "." && part != "..")
                rest.push_back(part.string());
        return links_left == 0 ? std::nullopt : resolve(tree, std::move(rest), links_left - 1);
    }
    return place;
}

} // namespace

Outcome<Tree> write_tree(const std::string& source, int output) {
    std::error_code error;
    TreeWriter writer(source, output);
    return fs::is_directory(source, error) ? write_folder(source, std::move(writer))
                                           : write_archive(source, std::move(writer));
}

Outcome<Tree> write_layers(const std::string& source, const std::vector<std::string>& layers,
                           const AddedFile& added, int output) {
    TreeWriter writer(source, output);
    const Places places = TRY(places_in(source, layers));
    for (std::size_t layer = 0; layer < layers.size(); ++layer)
        TRY(append_archive(writer, layers[layer], [&](const std::string& path) {
            return places.at(path).layer == layer;
        }));
    const ArchiveEntry entry(::archive_entry_new());
    ::archive_entry_set_pathname(entry.get(), added.path.c_str());
    ::archive_entry_set_mode(entry.get(), AE_IFREG | 0755U);
    ::archive_entry_set_mtime(entry.get(), 0, 0);
    ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(added.content.size()));
    TreeFile* const into = TRY(writer.begin(entry.get(), FileKind::regular));
    const Bytes content = std::as_bytes(std::span(added.content));
    TRY(writer.write(content));
    into->size = content.size();
    into->digest = crypto::sha384(content);
    return writer.finish();
}

std::optional<std::string> follow(const Tree& tree, std::string_view path) {
    constexpr unsigned max_links = 40; // [path_resolution(7)]
    std::vector<std::string> parts;
    for (const fs::path& part : fs::path(path).relative_path())
        parts.push_back(part.string());
    return resolve(tree, std::move(parts), max_links);
}

} // namespace tdshim::tools
