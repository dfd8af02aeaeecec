// SPDX-License-Identifier: Apache-2.0
#include "tools/vmm/disk_words.hpp"

#include <algorithm>
#include <string_view>

namespace tdshim::vmm {
namespace {

/// The options of one word, at each comma that is not doubled.
std::vector<std::string_view> options_of(std::string_view word) {
    std::vector<std::string_view> options;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < word.size(); ++at) {
        if (word[at] != ',')
            continue;
        if (word.substr(at + 1).starts_with(',')) {
            ++at;
            continue;
        }
        options.push_back(word.substr(begin, at - begin));
        begin = at + 1;
    }
    options.push_back(word.substr(begin));
    return options;
}

/// Not "nbd:..." nor "json:...", which have no locks.
bool is_local_file(std::string_view option) {
    constexpr std::string_view key = "file=";
    if (!option.starts_with(key))
        return false;
    const std::string_view name = option.substr(key.size());
    return name.find(':') >= name.find('/'); // also where there is neither
}

bool cannot_be_written(std::string_view option) {
    return option == "readonly=on" || option == "read-only=on" || option == "media=cdrom";
}

void open_without_lock(std::string& drive) {
    const auto options = options_of(drive);
    const auto says = [&](std::string_view start) {
        return std::ranges::any_of(options, [&](auto option) { return option.starts_with(start); });
    };
    if (std::ranges::none_of(options, is_local_file) || says("file.locking=") ||
        says("force-share="))
        return;
    // The vector is of views into what changes now.
    const bool is_read_only = std::ranges::any_of(options, cannot_be_written);
    const bool is_snapshot = says("snapshot=");
    if (is_read_only)
        drive += ",force-share=on";
    else if (is_snapshot)
        drive += ",file.locking=off";
    else
        drive += ",snapshot=on,file.locking=off";
}

} // namespace

std::vector<std::string> without_disk_locks(std::vector<std::string> words) {
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
        if (words[i] == "-drive" || words[i] == "--drive")
            open_without_lock(words[++i]);
    return words;
}

} // namespace tdshim::vmm
