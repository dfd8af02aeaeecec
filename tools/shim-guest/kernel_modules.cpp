// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-guest/kernel_modules.hpp"

#include <algorithm>
#include <filesystem>
#include <format>
#include <map>
#include <ranges>
#include <set>
#include <sstream>
#include <string_view>

#include "tools/common/files.hpp"
#include "tools/shim-guest/archive.hpp"

namespace tdshim::tools {
namespace {

namespace fs = std::filesystem;

struct Wanted {
    const char* name;
    bool is_optional = false; ///< another device or another kernel does without
};

/// Disks on every bus that VMMs give TDs, the root file system and what is asked for by name alone,
/// without modules.dep saying so: dm-verity's digest.
constexpr std::array wanted_always{Wanted{"virtio_pci"},         Wanted{"virtio_mmio", true},
                                   Wanted{"virtio_blk"},         Wanted{"virtio_net", true},
                                   Wanted{"virtio_scsi", true},  Wanted{"sd_mod", true},
                                   Wanted{"nvme", true},         Wanted{"sha256_generic", true},
                                   Wanted{"sha256_ssse3", true}, Wanted{"dm_verity"},
                                   Wanted{"squashfs"},           Wanted{"tdx_guest", true}};

/// modules.dep's and modules.builtin's lines, by module.
struct Lists {
    fs::path folder;
    std::map<std::string, std::string> file; ///< below `folder`
    std::map<std::string, std::vector<std::string>> needs;
    std::set<std::string> built_in;
};

/// "kernel/drivers/md/dm-verity.ko.xz" is "dm_verity".
std::string module_name(const std::string& file) {
    std::string name = fs::path(file).filename().string();
    name.erase(std::min(name.find(".ko"), name.size()));
    std::ranges::replace(name, '-', '_');
    return name;
}

Outcome<std::string> text_of(const fs::path& file) {
    const auto bytes = TRY(read_file(file.string()));
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

/// "FILE: NEEDED ...", where what is needed first stands last [depmod].
void read_line(Lists& lists, const std::string& line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos)
        return;
    const std::string file = line.substr(0, colon);
    const std::string name = module_name(file);
    lists.file[name] = file;
    std::istringstream rest(line.substr(colon + 1));
    for (std::string needed; rest >> needed;)
        lists.needs[name].insert(lists.needs[name].begin(), module_name(needed));
}

Outcome<fs::path> version_folder(const std::string& folder) {
    std::error_code error;
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(fs::path(folder) / "lib/modules", error))
        if (fs::exists(entry.path() / "modules.dep", error))
            found.push_back(entry.path());
    if (found.size() != 1)
        return std::unexpected(
            failure(folder, std::format("expected one lib/modules/VERSION with modules.dep, "
                                        "found {}",
                                        found.size())));
    return found.front();
}

Outcome<Lists> lists_of(const std::string& folder) {
    Lists lists{.folder = TRY(version_folder(folder)), .file = {}, .needs = {}, .built_in = {}};
    std::istringstream dependencies(TRY(text_of(lists.folder / "modules.dep")));
    for (std::string line; std::getline(dependencies, line);)
        read_line(lists, line);
    std::istringstream built_in(TRY(text_of(lists.folder / "modules.builtin")));
    for (std::string line; std::getline(built_in, line);)
        lists.built_in.insert(module_name(line));
    return lists;
}

/// Appends a module behind those that it needs; each once.
void append(const Lists& lists, const std::string& name, std::vector<std::string>& order) {
    if (std::ranges::contains(order, name) || lists.built_in.contains(name))
        return;
    if (const auto needs = lists.needs.find(name); needs != lists.needs.end())
        for (const std::string& needed : needs->second)
            append(lists, needed, order);
    order.push_back(name);
}

Outcome<std::vector<std::byte>> content_of(const fs::path& file) {
    const ArchiveReader reader = TRY(open_decompressed(file.string()));
    archive_entry* entry = nullptr;
    TRY(check_archive(file.string(), reader.get(),
                      ::archive_read_next_header(reader.get(), &entry)));
    std::vector<std::byte> content;
    std::array<std::byte, 65536> piece{};
    for (;;) {
        const la_ssize_t size = ::archive_read_data(reader.get(), piece.data(), piece.size());
        if (size < 0)
            return std::unexpected(archive_failure(file.string(), reader.get()));
        if (size == 0)
            return content;
        content.append_range(std::span(piece).first(static_cast<std::size_t>(size)));
    }
}

} // namespace

Outcome<std::vector<KernelModule>> modules_of_stage1(const std::string& folder,
                                                     bool needs_overlay) {
    const Lists lists = TRY(lists_of(folder));
    std::vector<Wanted> wanted(wanted_always.begin(), wanted_always.end());
    if (needs_overlay)
        wanted.push_back({"overlay"});
    std::vector<std::string> order;
    for (const Wanted& module : wanted) {
        const bool is_there =
            lists.file.contains(module.name) || lists.built_in.contains(module.name);
        if (is_there)
            append(lists, module.name, order);
        else if (!module.is_optional)
            return std::unexpected(
                failure(lists.folder.string(),
                        std::format("this kernel has no {}, which stage 1 needs", module.name)));
    }
    std::vector<KernelModule> modules;
    for (const std::string& name : order) {
        const auto file = lists.file.find(name);
        if (file == lists.file.end())
            return std::unexpected(
                failure(lists.folder.string(), std::format("modules.dep has no {}", name)));
        modules.push_back({name, TRY(content_of(lists.folder / file->second))});
    }
    return modules;
}

} // namespace tdshim::tools
