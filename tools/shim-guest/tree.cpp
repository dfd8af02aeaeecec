// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-guest/tree.hpp"

#include <filesystem>

#include "tools/shim-guest/tree_sources.hpp"

namespace tdshim::tools {
namespace {

namespace fs = std::filesystem;

/// An archive need not name the folders of its files.
bool is_unnamed_folder(const Tree& tree, const std::string& path) {
    const auto below = tree.lower_bound(path + "/");
    return below != tree.end() && below->first.starts_with(path + "/");
}

/// What `path` is with its symlinks followed, one a call; at most as many as Linux follows.
std::optional<std::string> resolve(const Tree& tree, std::vector<std::string> parts,
                                   unsigned links_left) {
    std::string place;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string next = place + (place.empty() ? "" : "/") + parts[i];
        const auto found = tree.find(next);
        if (found == tree.end() && !is_unnamed_folder(tree, next))
            return std::nullopt;
        if (found == tree.end() || found->second.kind != FileKind::symlink) {
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

std::optional<std::string> follow(const Tree& tree, std::string_view path) {
    constexpr unsigned max_links = 40; // [path_resolution(7)]
    std::vector<std::string> parts;
    for (const fs::path& part : fs::path(path).relative_path())
        parts.push_back(part.string());
    return resolve(tree, std::move(parts), max_links);
}

} // namespace tdshim::tools
