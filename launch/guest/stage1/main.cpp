// SPDX-License-Identifier: Apache-2.0
//
// Stage 1: /init of a measured guest's initramfs. It opens the root file system that the measured
// command line names, and starts its init; there is no shell, and no other way. Nothing that the
// host wrote is parsed before dm-verity covers it: no partition table, no superblock of verity's,
// no label. Whatever is missing or wrong is one line on the console, and the kernel panics
// [specs/guests.md].

#include <array>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "launch/guest/stage1/disks.hpp"
#include "launch/guest/stage1/files.hpp"
#include "launch/guest/stage1/measure.hpp"
#include "launch/guest/stage1/modules.hpp"
#include "launch/guest/stage1/network.hpp"
#include "launch/guest/stage1/run_process.hpp"
#include "launch/guest/stage1/storage.hpp"

namespace tdshim::stage1 { namespace {

constexpr const char* root_folder = "/root";

/// What init finds mounted; it stays when the root changes.
constexpr std::array kernel_folders{"/proc", "/sys", "/dev"};

Step<> mount_kernel_folders() {
    for (const char* const folder : kernel_folders)
        TRY(make_folder(folder));
    TRY(mount({"proc", "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC}));
    TRY(mount({"sysfs", "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC}));
    return mount({"devtmpfs", "devtmpfs", "/dev", MS_NOSUID, "mode=0755"});
}

Step<> open_console() {
    const int console = ::open("/dev/console", O_RDWR);
    if (console < 0)
        return system_error("/dev/console");
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        ::dup2(console, standard);
    if (console > STDERR_FILENO)
        ::close(console);
    return {};
}

/// Gives the initramfs's memory back.
void remove_initramfs() {
    for (const std::string& name : names_in("/modules"))
        ::unlink(("/modules/" + name).c_str());
    ::rmdir("/modules");
    ::unlink("/init");
}

/// Makes `place` the root, and init the process that this one was, or runs a container's. Returns
/// only with a failure.
Step<> start_init(const std::string& place, const std::string& init) {
    for (const char* const folder : kernel_folders)
        TRY(move_mount(folder, place + folder));
    remove_initramfs();
    if (::chdir(place.c_str()) != 0)
        return system_error(place);
    TRY(move_mount(".", "/"));
    if (::chroot(".") != 0 || ::chdir("/") != 0)
        return system_error("the new root");
    const std::string text = TRY(read_file(init));
    if (text.starts_with(guest::process_magic)) {
        const guest::Process process = TRY(guest::process_of(text));
        return run_process(process);
    }
    std::string name = init;
    const std::array<char*, 2> words{name.data(), nullptr};
    ::execv(init.c_str(), words.data());
    return system_error(init);
}

Step<> run() {
    TRY(mount_kernel_folders());
    TRY(open_console());
    const std::string command_line = TRY(read_file("/proc/cmdline"));
    const guest::Root root = TRY(guest::root_of(command_line));
    TRY(load_modules());
    TRY(start_loopback());
    if (root.network)
        TRY(start_network(*root.network, root.wait_seconds));
    const MappedDevice device = TRY(await_root(root));
    TRY(make_folder(root_folder));
    TRY(mount({"squashfs", device.path(), root_folder, MS_RDONLY}));
    const std::string place = TRY(set_up_storage(root.storage, root_folder));
    TRY(measure(root, place));
    say("storage " + std::string(guest::word_of(root.storage)) + ", starting " + root.init);
    return start_init(place, root.init);
}

}} // namespace tdshim::stage1

int main() {
    const auto ended = tdshim::stage1::run();
    tdshim::stage1::say(ended.error());
    return 1; // and the kernel panics
}
