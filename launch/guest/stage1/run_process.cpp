// SPDX-License-Identifier: Apache-2.0
#include "launch/guest/stage1/run_process.hpp"

#include <cerrno>
#include <grp.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch/guest/stage1/files.hpp"

namespace tdshim::stage1 {
namespace {

/// What programs take for granted in /dev.
Step<> mount_device_folders() {
    TRY(make_folder("/dev/pts"));
    TRY(make_folder("/dev/shm"));
    TRY(mount({"devpts", "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,ptmxmode=0666"}));
    return mount({"tmpfs", "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777"});
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (const std::string& text : texts)
        pointers.push_back(const_cast<char*>(text.c_str()));
    pointers.push_back(nullptr);
    return pointers;
}

[[noreturn]] void become(const guest::Process& process) {
    ::setsid();
    ::ioctl(STDIN_FILENO, TIOCSCTTY, 1);
    std::vector<char*> environment = pointers_to(process.environment);
    const std::vector<char*> arguments = pointers_to(process.arguments);
    environ = environment.data();
    if (::setgroups(0, nullptr) == 0 && ::setgid(process.group) == 0 &&
        ::setuid(process.user) == 0 && ::chdir(process.folder.c_str()) == 0)
        ::execvp(arguments[0], arguments.data());
    say(system_error(process.arguments[0]).error());
    ::_exit(127);
}

std::string text_of_status(int status) {
    return WIFEXITED(status) ? "exit code " + std::to_string(WEXITSTATUS(status))
                             : "signal " + std::to_string(WTERMSIG(status));
}

} // namespace

Step<> run_process(const guest::Process& process) {
    TRY(mount_device_folders());
    const pid_t child = ::fork();
    if (child < 0)
        return system_error("fork");
    if (child == 0)
        become(process);
    for (;;) {
        int status = 0;
        const pid_t ended = ::wait(&status);
        if (ended == child) {
            say("its process ended with " + text_of_status(status));
            break;
        }
        if (ended < 0 && errno != EINTR)
            return system_error("wait");
    }
    ::sync();
    ::reboot(RB_POWER_OFF);
    return system_error("power-off");
}

} // namespace tdshim::stage1
