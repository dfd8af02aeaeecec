// SPDX-License-Identifier: Apache-2.0
#include "tools/td-emu/child_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <optional>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace tdshim::td_emu {

using tools::Outcome;
using tools::system_failure;

namespace {

/// SIGALRM: QEMU did not end, for its main loop waits for a vCPU, and the vCPU's port access for
/// the main loop.
constexpr std::array ending_signals{SIGINT, SIGTERM, SIGHUP, SIGALRM};
constexpr unsigned patience = 10; // seconds

/// Whom a signal's handler tells, and whether it has before.
volatile pid_t told_child = 0;
volatile sig_atomic_t was_told = 0;
volatile time_t told_at = 0;

/// One that ends a whole group sends the first signal twice: who means it a second time waits.
void tell_child(int signal) {
    const int error = errno;
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    if (was_told == 0) {
        ::kill(told_child, SIGTERM);
        was_told = 1;
        told_at = now.tv_sec;
        ::alarm(patience);
    } else if (signal == SIGALRM || now.tv_sec > told_at + 1) {
        ::kill(told_child, SIGKILL);
    }
    errno = error;
}

/// While one lives, signals that are to end this program wait, or end its child.
class SignalsOfChild {
  public:
    SignalsOfChild() {
        ::sigemptyset(&signals_);
        for (const int signal : ending_signals)
            ::sigaddset(&signals_, signal);
        ::sigprocmask(SIG_BLOCK, &signals_, &mask_before_);
    }
    ~SignalsOfChild() {
        ::alarm(0);
        for (std::size_t i = 0; i < ending_signals.size(); ++i)
            if (goes_to_child_)
                ::sigaction(ending_signals[i], &before_[i], nullptr);
        ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
    }
    SignalsOfChild(const SignalsOfChild&) = delete;
    SignalsOfChild& operator=(const SignalsOfChild&) = delete;

    /// In the child, which is to have them as this program had.
    void give_back() const { ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr); }

    void send_to(pid_t child) {
        told_child = child;
        was_told = 0;
        struct sigaction action{};
        action.sa_handler = tell_child;
        for (std::size_t i = 0; i < ending_signals.size(); ++i)
            ::sigaction(ending_signals[i], &action, &before_[i]);
        goes_to_child_ = true;
        ::sigprocmask(SIG_UNBLOCK, &signals_, nullptr);
    }

  private:
    sigset_t signals_{};
    sigset_t mask_before_{};
    std::array<struct sigaction, ending_signals.size()> before_{};
    bool goes_to_child_ = false;
};

/// Puts the terminal back to what it was, which a killed QEMU leaves without echo. Only its own: a
/// job in the background would be stopped.
class Terminal {
  public:
    Terminal() {
        termios settings{};
        if (::tcgetattr(STDIN_FILENO, &settings) == 0)
            settings_ = settings;
    }
    ~Terminal() {
        if (settings_ && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp())
            ::tcsetattr(STDIN_FILENO, TCSANOW, &*settings_);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

  private:
    std::optional<termios> settings_;
};

/// Starts a program that ends when this one does, whatever ends it.
Outcome<pid_t> start(const std::vector<char*>& arguments, int output,
                     const SignalsOfChild& signals) {
    std::array<int, 2> failed{}; // what the child writes here is why it could not start
    if (::pipe2(failed.data(), O_CLOEXEC) != 0)
        return std::unexpected(system_failure(arguments[0], "cannot start", errno));
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        signals.give_back();
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
    const Terminal terminal;
    SignalsOfChild signals;
    const pid_t child = TRY(start(arguments, output, signals));
    signals.send_to(child);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return std::unexpected(system_failure(command[0], "cannot wait for it", errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace tdshim::td_emu
