// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/child_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tdshim::td_emu {

using tools::Outcome;
using tools::system_failure;

namespace {

/// Starts a program that ends when this one does, whatever ends it.
Outcome<pid_t> start(const std::vector<char*>& arguments, int output) {
    std::array<int, 2> failed{}; // what the child writes here is why it could not start
    if (::pipe2(failed.data(), O_CLOEXEC) != 0)
        return std::unexpected(system_failure(arguments[0], "cannot start", errno));
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() == parent && ::dup2(output, STDOUT_FILENO) >= 0)
            ::execvp(arguments[0], arguments.data());
        const int error = errno;
        static_cast<void>(::write(failed[1], &error, sizeof(error)));
        ::_exit(127);
    }
    int error = child < 0 ? errno : 0;
    ::close(failed[1]);
    if (::read(failed[0], &error, sizeof(error)) > 0)
        ::waitpid(child, nullptr, 0);
    ::close(failed[0]);
    if (error != 0)
        return std::unexpected(system_failure(arguments[0], "cannot start", error));
    return child;
}

} // namespace

Outcome<int> run_command(const std::vector<std::string>& command, int output) {
    std::vector<char*> arguments;
    for (const std::string& word : command)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const pid_t child = TRY(start(arguments, output));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return std::unexpected(system_failure(command[0], "cannot wait for it", errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace tdshim::td_emu
