// SPDX-License-Identifier: Apache-2.0
//
// A program for the small guest: prints the TDREPORT that the kernel gets from the TDX module, in
// hex [Linux include/uapi/linux/tdx-guest.h, TDX_CMD_GET_REPORT0], once it has seen that a process
// cannot get one by itself, and sees by CPUID that it is in a TD wherever its code is mapped. It
// has no C library under it.

namespace {

constexpr long sys_write = 1;
constexpr long sys_open = 2;
constexpr long sys_mmap = 9;
constexpr long sys_munmap = 11;
constexpr long sys_ioctl = 16;
constexpr long sys_fork = 57;
constexpr long sys_exit = 60;
constexpr long sys_wait4 = 61;
constexpr long sys_memfd_create = 319;

constexpr long open_read_write = 2;
constexpr unsigned long may_read_and_execute = 5;    // PROT_READ | PROT_EXEC
constexpr unsigned long is_shared_at_address = 0x11; // MAP_SHARED | MAP_FIXED
constexpr unsigned long get_report = 0xC440'5401;    // _IOWR('T', 1, 1088 bytes)

struct Request {
    unsigned char report_data[64];
    unsigned char report[1024];
};
static_assert(sizeof(Request) == 1088);

Request request;
char text[2 * sizeof(request.report) + 1];

long call(long number, unsigned long first, unsigned long second, unsigned long third,
          unsigned long fourth = 0, unsigned long fifth = 0) {
    long result = number;
    register unsigned long of_r10 asm("r10") = fourth;
    register unsigned long of_r8 asm("r8") = fifth;
    register unsigned long of_r9 asm("r9") = 0;
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(first), "S"(second), "d"(third), "r"(of_r10), "r"(of_r8), "r"(of_r9)
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

/// CPUID leaf 0x21 from code at this address, where it is mapped for as long as it is executed.
unsigned ebx_of_leaf_21(long file, unsigned long place) {
    constexpr unsigned long page = 4096;
    if (call(sys_mmap, place, page, may_read_and_execute, is_shared_at_address,
             static_cast<unsigned long>(file)) != static_cast<long>(place))
        return 0;
    const unsigned ebx = reinterpret_cast<unsigned (*)()>(place)();
    call(sys_munmap, place, page, 0);
    return ebx;
}

/// The same physical page at one address and then at another, as with a program that is started
/// twice: an emulator may know the code by the page.
bool process_sees_td() {
    // push rbx; xor ecx, ecx; mov eax, 0x21; cpuid; mov eax, ebx; pop rbx; ret
    static constexpr unsigned char code[] = {0x53, 0x31, 0xC9, 0xB8, 0x21, 0x00, 0x00,
                                             0x00, 0x0F, 0xA2, 0x89, 0xD8, 0x5B, 0xC3};
    constexpr unsigned inte = 0x65746E49; // of "IntelTDX    "
    const long file = call(sys_memfd_create, address("code"), 0, 0);
    return file >= 0 &&
           call(sys_write, static_cast<unsigned long>(file), address(code), sizeof(code)) ==
               sizeof(code) &&
           ebx_of_leaf_21(file, 0x1000'0000) == inte && ebx_of_leaf_21(file, 0x2000'0000) == inte;
}

} // namespace

extern "C" [[noreturn]] void _start() {
    if (!tdcall_is_privileged() || !process_sees_td())
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
