// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-guest/program.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <format>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tdshim::tools {

Outcome<Program> Program::start(const std::vector<std::string>& words, const std::string& package) {
    // A pipe that nobody reads any more is a failed write, and not the end of this program.
    ::signal(SIGPIPE, SIG_IGN);
    const std::string& name = words.front();
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return std::unexpected(system_failure(name, "cannot be given its input", errno));
    const Descriptor from(ends[0]);
    Descriptor to(ends[1]);
    std::vector<std::string> copies = words;
    std::vector<char*> arguments;
    for (std::string& word : copies)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, from.number(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    pid_t process = 0;
    const int error =
        ::posix_spawnp(&process, name.c_str(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT)
        return std::unexpected(
            failure(name, std::format("is not there: install the package {}", package)));
    if (error != 0)
        return std::unexpected(system_failure(name, "cannot be started", error));
    return Program(name, process, std::move(to));
}

Outcome<> Program::finish() {
    static_cast<void>(input_.close_now());
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return {};
    return std::unexpected(
        failure(name_, std::format("failed with {} {}", WIFEXITED(status) ? "exit code" : "signal",
                                   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status))));
}

} // namespace tdshim::tools
