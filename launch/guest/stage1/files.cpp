// SPDX-License-Identifier: Apache-2.0
#include "launch/guest/stage1/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tdshim::stage1 {

std::unexpected<std::string> system_error(std::string_view text) {
    return std::unexpected(std::string(text) + ": " + std::strerror(errno));
}

void say(const std::string& text) {
    const std::string line = "stage1: " + text + "\n";
    static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
}

Step<std::string> read_file(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return system_error(path);
    std::string text(65536, '\0');
    const ssize_t size = ::read(descriptor, text.data(), text.size());
    const auto failure = system_error(path);
    ::close(descriptor);
    if (size < 0)
        return failure;
    text.resize(static_cast<std::size_t>(size));
    return text;
}

Step<> write_file(const std::string& path, Bytes content) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0)
        return system_error(path);
    const ssize_t size = ::write(descriptor, content.data(), content.size());
    const auto failure = system_error(path);
    ::close(descriptor);
    if (size != static_cast<ssize_t>(content.size()))
        return failure;
    return {};
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    DIR* const stream = ::opendir(folder.c_str());
    if (stream == nullptr)
        return names;
    while (const dirent* const entry = ::readdir(stream))
        if (entry->d_name[0] != '.')
            names.emplace_back(entry->d_name);
    ::closedir(stream);
    std::ranges::sort(names);
    return names;
}

Step<> make_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
        return system_error(path);
    return {};
}

Step<> mount(const Mount& what) {
    if (::mount(what.from.c_str(), what.to.c_str(), what.type, what.flags, what.options.c_str()) !=
        0)
        return system_error(std::string(what.type) + " on " + what.to);
    return {};
}

Step<> move_mount(const std::string& from, const std::string& to) {
    if (::mount(from.c_str(), to.c_str(), nullptr, MS_MOVE, nullptr) != 0)
        return system_error(from + " to " + to);
    return {};
}

} // namespace tdshim::stage1
