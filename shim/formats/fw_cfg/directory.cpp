// SPDX-License-Identifier: Apache-2.0
#include "shim/formats/fw_cfg/directory.hpp"

#include <algorithm>

namespace tdshim::fw_cfg {
namespace {

Result<DirectoryEntry> entry_at(Bytes entries, std::size_t index) {
    return read_at<DirectoryEntry>(entries, index * sizeof(DirectoryEntry));
}

/// The name of `entry` up to its NUL; empty when there is none.
std::string_view name_of(const DirectoryEntry& entry) {
    const auto end = std::ranges::find(entry.name, '\0');
    if (end == entry.name.end())
        return {};
    return {entry.name.data(), static_cast<std::size_t>(end - entry.name.begin())};
}

} // namespace

Result<std::uint32_t> Directory::count(const be32& announced) {
    if (announced > max_files)
        return refuse(Fault::fw_cfg_count, 0, max_files, announced);
    return announced;
}

Result<Directory> Directory::parse(Bytes entries) {
    if (entries.size() % sizeof(DirectoryEntry) != 0)
        return refuse(Fault::truncated, entries.size(), sizeof(DirectoryEntry),
                      entries.size() % sizeof(DirectoryEntry));
    const Directory files(entries);
    if (files.size() > max_files)
        return refuse(Fault::fw_cfg_count, 0, max_files, files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        const DirectoryEntry entry = TRY(entry_at(entries, i));
        const std::uint64_t at = i * sizeof(DirectoryEntry);
        if (name_of(entry).empty())
            return refuse(Fault::fw_cfg_name, at);
        if (entry.select < first_file)
            return refuse(Fault::fw_cfg_selector, at, first_file, entry.select);
        for (std::size_t j = 0; j < i; ++j)
            if (name_of(TRY(entry_at(entries, j))) == name_of(entry))
                return refuse(Fault::fw_cfg_duplicate_name, at, 0, j * sizeof(DirectoryEntry));
    }
    return files;
}

std::optional<File> Directory::find(std::string_view name) const {
    for (std::size_t i = 0; i < size(); ++i) {
        const auto entry = entry_at(entries_, i);
        if (entry && name_of(*entry) == name)
            return File{entry->select, entry->size};
    }
    return std::nullopt;
}

} // namespace tdshim::fw_cfg
