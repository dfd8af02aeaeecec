// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-guest/tree_writer.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <format>
#include <span>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

namespace fs = std::filesystem;

constexpr int bytes_per_write = 1 << 20;
constexpr unsigned mode_bits = 07777;
/// What stage 1 moves its mounts to, and what init mounts itself.
constexpr std::array folders_of_init{"dev", "proc", "run", "sys", "tmp", "var"};

std::string text_or_nothing(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

} // namespace

bool is_good_path(std::string_view path) {
    return !path.empty() && !path.starts_with('/') &&
           std::ranges::none_of(fs::path(path), [](const fs::path& part) { return part == ".."; });
}

std::string normal_path(std::string_view path) {
    std::string text;
    for (const fs::path& part : fs::path(path))
        if (!part.empty() && part != ".")
            text += (text.empty() ? "" : "/") + part.string();
    return text;
}

std::string path_of(archive_entry* entry) {
    return text_or_nothing(::archive_entry_pathname(entry));
}

ArchiveEntry make_entry(const std::string& path, unsigned mode) {
    ArchiveEntry entry(::archive_entry_new());
    ::archive_entry_set_pathname(entry.get(), path.c_str());
    ::archive_entry_set_mode(entry.get(), mode);
    ::archive_entry_set_mtime(entry.get(), 0, 0);
    return entry;
}

TreeWriter::TreeWriter(std::string source, int output)
    : source_(std::move(source)), writer_(::archive_write_new()) {
    ::archive_write_set_format_pax_restricted(writer_.get());
    ::archive_write_add_filter_none(writer_.get());
    ::archive_write_set_bytes_per_block(writer_.get(), bytes_per_write);
    // Who reads may be gone behind the end, before padding.
    ::archive_write_set_bytes_in_last_block(writer_.get(), 1);
    ::archive_write_open_fd(writer_.get(), output);
}

Outcome<TreeFile*> TreeWriter::begin(archive_entry* entry, FileKind kind) {
    const std::string path = normal_path(path_of(entry));
    TreeFile file{.kind = kind,
                  .mode = ::archive_entry_mode(entry) & mode_bits,
                  .size = 0,
                  .digest = {},
                  .target = {}};
    if (kind == FileKind::symlink)
        file.target = text_or_nothing(::archive_entry_symlink(entry));
    if (kind == FileKind::hard_link) {
        file.target = normal_path(text_or_nothing(::archive_entry_hardlink(entry)));
        ::archive_entry_set_hardlink(entry, file.target.c_str());
    }
    ::archive_entry_set_pathname(entry, path.empty() ? "./" : path.c_str()); // the root itself
    TRY(check_place(path, kind));
    const auto [place, is_new] = tree_.emplace(path, std::move(file));
    if (!is_new)
        return std::unexpected(bad(path, "is there twice"));
    TRY(check_archive(source_, writer_.get(), ::archive_write_header(writer_.get(), entry)));
    return &place->second;
}

bool TreeWriter::has_file(const std::string& path) const {
    const auto found = tree_.find(path);
    return found != tree_.end() && found->second.kind != FileKind::folder;
}

Outcome<> TreeWriter::check_place(const std::string& path, FileKind kind) const {
    for (fs::path above = fs::path(path).parent_path(); !above.empty(); above = above.parent_path())
        if (has_file(above.string()))
            return std::unexpected(bad(path, "is below what is no folder"));
    const auto below = tree_.lower_bound(path + "/");
    if (kind != FileKind::folder && !path.empty() && below != tree_.end() &&
        below->first.starts_with(path + "/"))
        return std::unexpected(bad(below->first, "is below what is no folder"));
    return {};
}

Outcome<> TreeWriter::write(Bytes bytes) {
    while (!bytes.empty()) {
        const la_ssize_t size = ::archive_write_data(writer_.get(), bytes.data(), bytes.size());
        if (size <= 0)
            return std::unexpected(archive_failure(source_, writer_.get()));
        bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
    return {};
}

Outcome<> TreeWriter::add(const AddedFile& file) {
    const Bytes content = std::as_bytes(std::span(file.content));
    const ArchiveEntry entry = make_entry(file.path, AE_IFREG | 0755U);
    ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    TreeFile* const into = TRY(begin(entry.get(), FileKind::regular));
    into->size = content.size();
    into->digest = crypto::sha384(content);
    return write(content);
}

Outcome<Tree> TreeWriter::finish() {
    for (const char* const name : folders_of_init) {
        const auto found = tree_.find(name);
        if (found == tree_.end())
            TRY(begin(make_entry(name, AE_IFDIR | 0755U).get(), FileKind::folder));
        else if (found->second.kind != FileKind::folder)
            return std::unexpected(bad(name, "is no folder, and stage 1 or init mounts there"));
    }
    TRY(check_archive(source_, writer_.get(), ::archive_write_close(writer_.get())));
    return std::move(tree_);
}

Failure TreeWriter::bad(std::string_view path, std::string_view why) const {
    return failure(source_, std::format("{}: {}", printable(path), why));
}

} // namespace tdshim::tools
