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

namespace {

/// What a program is started with.
class Start {
  public:
    explicit Start(std::vector<std::string> words) : words_(std::move(words)) {
        ::posix_spawn_file_actions_init(&actions_);
        sigset_t none;
        ::sigemptyset(&none);
        ::posix_spawnattr_init(&attributes_);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
    }
    ~Start() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    Start(const Start&) = delete;
    Start& operator=(const Start&) = delete;

    [[nodiscard]] posix_spawn_file_actions_t* actions() { return &actions_; }

    /// Errors: `package` is to be installed, where there is one.
    Outcome<pid_t> run(const std::string& package) {
        std::vector<char*> arguments;
        for (std::string& word : words_)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        pid_t process = 0;
        const int error = ::posix_spawnp(&process, arguments.front(), &actions_, &attributes_,
                                         arguments.data(), environ);
        if (error == ENOENT && !package.empty())
            return std::unexpected(failure(
                words_.front(), std::format("is not there: install the package {}", package)));
        if (error != 0)
            return std::unexpected(system_failure(words_.front(), "cannot be started", error));
        return process;
    }

  private:
    std::vector<std::string> words_;
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

Outcome<> wait_for(const std::string& name, pid_t process) {
    int status = 0;
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return {};
    return std::unexpected(
        failure(name, std::format("failed with {} {}", WIFEXITED(status) ? "exit code" : "signal",
                                  WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status))));
}

} // namespace

Outcome<> run_program(const std::vector<std::string>& words, const std::string& folder,
                      const std::string& file) {
    Start start(words);
    ::posix_spawn_file_actions_addchdir_np(start.actions(), folder.c_str());
    ::posix_spawn_file_actions_addopen(start.actions(), STDOUT_FILENO, file.c_str(),
                                       O_WRONLY | O_CREAT | O_TRUNC, 0644);
    return wait_for(words.front(), TRY(start.run("")));
}

Outcome<Program> Program::start(const std::vector<std::string>& words, const std::string& package) {
    // A pipe that nobody reads any more is a failed write, and not the end of this program.
    ::signal(SIGPIPE, SIG_IGN);
    const std::string& name = words.front();
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return std::unexpected(system_failure(name, "cannot be given its input", errno));
    const Descriptor from(ends[0]);
    Descriptor to(ends[1]);
    Start start(words);
    ::posix_spawn_file_actions_adddup2(start.actions(), from.number(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(start.actions(), STDERR_FILENO, STDOUT_FILENO);
    const pid_t process = TRY(start.run(package));
    return Program(name, process, std::move(to));
}

Outcome<> Program::finish() {
    static_cast<void>(input_.close_now());
    return wait_for(name_, process_);
}

} // namespace tdshim::tools
