// SPDX-License-Identifier: Apache-2.0
//
// A program for the small guest: starts the kernel /next/kernel with /next/initrd and the command
// line in /next/cmdline by kexec [kexec_file_load(2), reboot(2)]; where there is a file
// /next/on-crash, it only has the running kernel start it when that crashes. It has no C library
// under it.

namespace {

constexpr long sys_write = 1;
constexpr long sys_open = 2;
constexpr long sys_read = 0;
constexpr long sys_exit = 60;
constexpr long sys_reboot = 169;
constexpr long sys_kexec_file_load = 320;

constexpr unsigned long reboot_magic_1 = 0xFEE1'DEAD;
constexpr unsigned long reboot_magic_2 = 0x2812'1969;
constexpr unsigned long reboot_kexec = 0x4558'4543;
constexpr unsigned long load_for_crash = 2; // KEXEC_FILE_ON_CRASH

char command_line[2048];

long call(long number, unsigned long first = 0, unsigned long second = 0, unsigned long third = 0,
          unsigned long fourth = 0, unsigned long fifth = 0) {
    long result = number;
    register unsigned long in_r10 asm("r10") = fourth;
    register unsigned long in_r8 asm("r8") = fifth;
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(first), "S"(second), "d"(third), "r"(in_r10), "r"(in_r8)
                 : "rcx", "r11", "memory");
    return result;
}

unsigned long address(const void* object) {
    return reinterpret_cast<unsigned long>(object);
}

[[noreturn]] void leave(int code) {
    call(sys_exit, static_cast<unsigned long>(code));
    __builtin_unreachable();
}

/// Says which step failed, by a letter and the number of the error.
[[noreturn]] void fail(char step, long error) {
    char text[] = "guest: kexec failed: ? 000\n";
    text[21] = step;
    long left = -error;
    for (int i = 25; i >= 23; --i, left /= 10)
        text[i] = static_cast<char>('0' + left % 10);
    call(sys_write, 1, address(text), sizeof(text) - 1);
    leave(1);
}

long open(const char* name, char step) {
    const long file = call(sys_open, address(name));
    if (file < 0)
        fail(step, file);
    return file;
}

} // namespace

extern "C" [[noreturn]] void _start() {
    const long kernel = open("/next/kernel", 'k');
    const long initrd = open("/next/initrd", 'i');
    const long line = open("/next/cmdline", 'c');
    // The terminating NUL is part of it.
    const long size = call(sys_read, static_cast<unsigned long>(line), address(command_line),
                           sizeof(command_line) - 1);
    if (size < 0)
        fail('c', size);
    const bool is_for_crash = call(sys_open, address("/next/on-crash")) >= 0;
    const long loaded =
        call(sys_kexec_file_load, static_cast<unsigned long>(kernel),
             static_cast<unsigned long>(initrd), static_cast<unsigned long>(size) + 1,
             address(command_line), is_for_crash ? load_for_crash : 0);
    if (loaded != 0)
        fail('l', loaded);
    if (is_for_crash)
        leave(0);
    fail('r', call(sys_reboot, reboot_magic_1, reboot_magic_2, reboot_kexec));
}
