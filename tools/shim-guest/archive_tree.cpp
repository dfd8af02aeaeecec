// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <format>
#include <map>
#include <vector>

#include "tools/common/hash.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-guest/tree_sources.hpp"

namespace tdshim::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_size = std::size_t{1} << 20;

Outcome<FileKind> kind_of(const TreeWriter& writer, archive_entry* entry) {
    const std::string path = path_of(entry);
    if (!is_good_path(path))
        return std::unexpected(writer.bad(path, "is absolute, or has \"..\""));
    if (const char* const target = ::archive_entry_hardlink(entry)) {
        if (!is_good_path(target) || !writer.has_file(normal_path(target)))
            return std::unexpected(writer.bad(
                path, std::format("is a hard link to {}, which is no file that came before it",
                                  printable(target))));
        return FileKind::hard_link;
    }
    switch (::archive_entry_filetype(entry)) {
    case AE_IFREG: return FileKind::regular;
    case AE_IFDIR: return FileKind::folder;
    case AE_IFLNK: return FileKind::symlink;
    default: return std::unexpected(writer.bad(path, no_such_kind));
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
        if (!is_wanted(normal_path(path_of(entry))))
            continue;
        const FileKind kind = TRY(kind_of(writer, entry));
        TreeFile* const into = TRY(writer.begin(entry, kind));
        if (kind == FileKind::regular)
            TRY(copy_content(writer, file, reader.get(), *into));
    }
    return {};
}

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
            const std::string path = normal_path(path_of(entry));
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

} // namespace

Outcome<Tree> write_archive(const std::string& file, TreeWriter writer) {
    TRY(append_archive(writer, file, [](const std::string&) { return true; }));
    return writer.finish();
}

Outcome<Tree> write_layers(const std::string& source, const std::vector<std::string>& layers,
                           const AddedFile& added, int output) {
    TreeWriter writer(source, output);
    const Places places = TRY(places_in(source, layers));
    for (std::size_t layer = 0; layer < layers.size(); ++layer)
        TRY(append_archive(writer, layers[layer], [&](const std::string& path) {
            return places.at(path).layer == layer;
        }));
    TRY(writer.add(added));
    return writer.finish();
}

} // namespace tdshim::tools
