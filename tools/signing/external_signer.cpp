// SPDX-License-Identifier: Apache-2.0
#include "tools/signing/external_signer.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <format>
#include <memory>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/common/descriptor.hpp"

extern "C" char** environ;

namespace tdshim::tools {
namespace {

constexpr std::size_t max_signature = 4096;
/// What errors name: the command itself may have a PIN in it.
constexpr auto name = "--external-command";

struct Close {
    void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
};
using File = std::unique_ptr<std::FILE, Close>;

/// A file without a name that holds `message`, at its beginning: unlike a pipe it takes all of it
/// before anybody reads.
File input_with(Bytes message) {
    File file(std::tmpfile());
    if (file && (std::fwrite(message.data(), 1, message.size(), file.get()) != message.size() ||
                 std::fflush(file.get()) != 0 || ::lseek(::fileno(file.get()), 0, SEEK_SET) != 0))
        file.reset();
    return file;
}

/// 0 or the system's error number.
int start(const std::string& command, int input, int output, pid_t& process) {
    std::string text = command;
    std::string shell = "/bin/sh";
    std::string option = "-c";
    const std::array words{shell.data(), option.data(), text.data(), static_cast<char*>(nullptr)};
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    const int error =
        ::posix_spawn(&process, shell.c_str(), &actions, nullptr, words.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    return error;
}

/// To be polled for the end of `process`. Before Linux 5.3 there is none, which poll() ignores.
int open_process(pid_t process) { // glibc 2.36 declares pidfd_open for C alone
    return static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
}

/// Waits until there is output to read; false when there is none and the command has ended. What it
/// left running may keep the pipe open for ever.
bool has_output(int output, int process) {
    std::array<pollfd, 2> sources{{{output, POLLIN, 0}, {process, POLLIN, 0}}};
    while (::poll(sources.data(), sources.size(), -1) < 0 && errno == EINTR) {
    }
    return sources[0].revents != 0;
}

/// One byte more than a signature can have, so that a longer output is not taken for one.
std::vector<std::byte> read_output(int descriptor, int process) {
    std::vector<std::byte> output(max_signature + 1);
    std::size_t size = 0;
    while (size < output.size() && has_output(descriptor, process)) {
        const ssize_t count = ::read(descriptor, &output[size], output.size() - size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        size += static_cast<std::size_t>(count);
    }
    output.resize(size);
    return output;
}

} // namespace

Outcome<std::vector<std::byte>> sign_by_command(const std::string& command, Bytes message) {
    const File input = input_with(message);
    std::array<int, 2> ends{};
    if (!input || ::pipe2(ends.data(), O_CLOEXEC) != 0)
        return std::unexpected(system_failure(name, "cannot be given its input", errno));
    Descriptor from(ends[0]);
    Descriptor to(ends[1]);
    pid_t process = 0;
    if (const int error = start(command, ::fileno(input.get()), to.number(), process); error != 0)
        return std::unexpected(system_failure(name, "cannot be started", error));
    static_cast<void>(to.close_now());
    const Descriptor ended(open_process(process));
    auto output = read_output(from.number(), ended.number());
    static_cast<void>(from.close_now());
    int status = 0;
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return std::unexpected(failure(
            name, std::format("failed with {} {}", WIFEXITED(status) ? "exit code" : "signal",
                              WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status))));
    if (output.size() > max_signature)
        return std::unexpected(failure(name, "wrote more than a signature has"));
    return output;
}

} // namespace tdshim::tools
