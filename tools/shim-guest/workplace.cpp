// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-guest/workplace.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <thread>
#include <unistd.h>

#include "tools/common/files.hpp"

namespace tdshim::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::array outputs{"boot.json", "disk.img", "guest.bundle", "initrd", "manifest.json"};

/// Whether a build made it, and nobody put anything else there.
bool is_guest(const std::string& folder) {
    std::error_code error;
    bool is_ours = fs::exists(fs::path(folder) / "manifest.json", error);
    for (const auto& entry : fs::directory_iterator(folder, error))
        is_ours = is_ours && std::ranges::contains(outputs, entry.path().filename());
    return is_ours && !error;
}

/// SIGINT, SIGTERM and SIGHUP: none of them leaves half a guest.
sigset_t signals_that_end() {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        ::sigaddset(&signals, signal);
    return signals;
}

/// From now on a signal that ends this program takes the folder away first. Programs that it starts
/// get the signals as ever [program.cpp].
void remove_on_signal(const std::string& folder) {
    const sigset_t signals = signals_that_end();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::thread([folder, signals] {
        int signal = 0;
        if (::sigwait(&signals, &signal) != 0)
            return;
        std::error_code ignored;
        // Whoever still writes there has no folder from the first time on.
        for (int i = 0; i < 2; ++i)
            fs::remove_all(folder, ignored);
        ::_exit(128 + signal);
    }).detach();
}

std::string without_slashes(const std::string& folder) {
    std::string path = fs::path(folder).lexically_normal().string();
    while (path.ends_with('/'))
        path.pop_back();
    return path;
}

} // namespace

Outcome<Workplace> Workplace::make(const std::string& output) {
    std::error_code error;
    const std::string name = without_slashes(output);
    if (fs::is_regular_file(name, error))
        TRY(check_output(name));
    if (fs::exists(fs::symlink_status(name, error)) && !is_guest(name))
        return std::unexpected(failure(
            output, "is there already, and is no guest: remove it, or name another folder"));
    std::string path = name + ".XXXXXX";
    if (::mkdtemp(path.data()) == nullptr)
        return std::unexpected(system_failure(output, "cannot make a folder beside it", errno));
    remove_on_signal(path);
    return Workplace(path, name);
}

Workplace::~Workplace() {
    std::error_code ignored;
    if (!path_.empty())
        fs::remove_all(path_, ignored);
}

Outcome<> Workplace::become_output() {
    std::error_code error;
    fs::permissions(path_, fs::perms(0755), error);
    const bool is_there = fs::exists(output_, error);
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, output_.c_str(),
                    is_there ? RENAME_EXCHANGE : RENAME_NOREPLACE) != 0)
        return std::unexpected(system_failure(output_, "cannot be given its name", errno));
    return {};
}

} // namespace tdshim::tools
