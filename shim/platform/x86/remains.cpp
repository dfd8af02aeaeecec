// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/x86/remains.hpp"

#include <cstddef>
#include <span>

#include "shim/base/clear.hpp"
#include "shim/platform/x86/stacks.hpp"

// From the linker script.
extern "C" std::byte shim_kept_end[], shim_data_end[];

namespace tdshim::x86 {

extern Stacks stacks; // address_space.cpp

namespace {

void clear_pages(auto& pages) {
    clear(std::as_writable_bytes(std::span(&pages, 1)));
}

} // namespace

// The frames of its callers stay, and what it calls itself writes below them: room for that.
[[gnu::noinline]] void clear_remains() {
    constexpr std::ptrdiff_t own_use = 1024;
    auto* const frame = static_cast<std::byte*>(__builtin_frame_address(0));
    clear({stacks.boot.front().data(), frame - own_use});
    clear_pages(stacks.exceptions);
    clear_pages(stacks.double_faults);
    for (WorkerStack& worker : stacks.workers) {
        clear_pages(worker.exceptions);
        clear_pages(worker.stack);
    }
    clear({shim_kept_end, shim_data_end});
}

[[noreturn, gnu::naked]] void leave(std::uint64_t, std::uint64_t) {
    asm volatile("movq %%rdi, %%rdx\n\t"
                 "leaq shim_data_begin + %c0(%%rip), %%rdi\n\t"
                 "movl %1, %%ecx\n\t"
                 "xorl %%eax, %%eax\n\t"
                 "cld\n\t"
                 "rep stosq\n\t"
                 "movq %%rdi, %%rsp\n\t"
                 "jmpq *%%rdx"
                 :
                 : "i"(offsetof(Stacks, boot)), "i"(sizeof(Stacks::boot) / 8));
}

} // namespace tdshim::x86
