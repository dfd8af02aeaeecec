// SPDX-License-Identifier: Apache-2.0
//
// A program for the small guest: prints the TDREPORT that the kernel gets from the TDX module, in
// hex [Linux include/uapi/linux/tdx-guest.h, TDX_CMD_GET_REPORT0], once it has seen that a process
// cannot get one by itself. It has no C library under it.

namespace {

constexpr long sys_write = 1;
constexpr long sys_open = 2;
constexpr long sys_ioctl = 16;
constexpr long sys_fork = 57;
constexpr long sys_exit = 60;
constexpr long sys_wait4 = 61;

constexpr long open_read_write = 2;
constexpr unsigned long get_report = 0xC440'5401; // _IOWR('T', 1, 1088 bytes)

struct Request {
    unsigned char report_data[64];
    unsigned char report[1024];
};
static_assert(sizeof(Request) == 1088);

Request request;
char text[2 * sizeof(request.report) + 1];

long call(long number, unsigned long first, unsigned long second, unsigned long third) {
    long result = number;
    register unsigned long fourth asm("r10") = 0;
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(first), "S"(second), "d"(third), "r"(fourth)
                 : "rcx", "r11", "memory");
    return result;
}

unsigned long address(const void* object) {
    return reinterpret_cast<unsigned long>(object);
}

[[noreturn]] void leave(int code) {
    call(sys_exit, static_cast<unsigned long>(code), 0, 0);
    __builtin_unreachable();
}

/// Whether a process that executes TDCALL (here TDG.VP.INFO) is killed.
bool tdcall_is_privileged() {
    const long child = call(sys_fork, 0, 0, 0);
    if (child == 0) {
        asm volatile(".byte 0x66, 0x0f, 0x01, 0xcc"
                     :
                     : "a"(1)
                     : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory");
        leave(0);
    }
    unsigned status = 0;
    return child > 0 &&
           call(sys_wait4, static_cast<unsigned long>(child), address(&status), 0) == child &&
           (status & 0x7F) != 0;
}

} // namespace

extern "C" [[noreturn]] void _start() {
    if (!tdcall_is_privileged())
        leave(1);
    for (unsigned i = 0; i < sizeof(request.report_data); ++i)
        request.report_data[i] = static_cast<unsigned char>(i);
    const long device = call(sys_open, address("/dev/tdx_guest"), open_read_write, 0);
    if (device < 0 ||
        call(sys_ioctl, static_cast<unsigned long>(device), get_report, address(&request)) != 0)
        leave(1);
    for (unsigned i = 0; i < sizeof(request.report); ++i) {
        text[2 * i] = "0123456789abcdef"[request.report[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[request.report[i] & 15];
    }
    text[sizeof(text) - 1] = '\n';
    leave(call(sys_write, 1, address(text), sizeof(text)) == sizeof(text) ? 0 : 1);
}
