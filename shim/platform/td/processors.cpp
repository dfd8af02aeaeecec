// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/td/processors.hpp"

#include <atomic>
#include <cstdint>

#include "shim/memory/layout.hpp"
#include "shim/platform/x86/address_space.hpp"
#include "shim/platform/x86/descriptor_tables.hpp"
#include "shim/platform/x86/instructions.hpp"
#include "shim/platform/x86/protection.hpp"
#include "shim/platform/x86/stacks.hpp"

namespace tdshim::td {
namespace {

/// A field of the mailbox, at `offset`.
template <class T>
std::atomic_ref<T> mailbox(std::uint64_t offset) {
    return std::atomic_ref(*reinterpret_cast<T*>(layout::mailbox.start().value + offset));
}

constinit std::atomic<void (*)()> current_work{};
constinit std::atomic<std::uint32_t> shim_workers{}; // stacks given out

void set_phase(std::uint32_t phase) {
    mailbox<std::uint32_t>(layout::mailbox_phase).store(phase);
}

/// The reset vector counts a processor in before it enters the shim, and out when it has left.
void wait_until_alone() {
    while (mailbox<std::uint32_t>(layout::mailbox_joined).load() != 0)
        x86::pause();
}

extern "C" [[gnu::used]] void shim_worker(std::size_t worker) {
    x86::join_address_space();
    x86::load_worker_descriptor_tables(worker);
    x86::protect_supervisor();
    current_work.load()();
}

/// In: RDI the address to go back to, ESI the vCPU index; no stack. Every processor enters once.
extern "C" [[noreturn, gnu::naked]] void worker_entry() {
    asm volatile("movl $1, %%eax\n\t"
                 "lock xaddl %%eax, %0\n\t"
                 "cmpl %1, %%eax\n\t"
                 "jae 1f\n\t"
                 "movl %%eax, %%edx\n\t"
                 "incl %%eax\n\t"
                 "imulq %2, %%rax, %%rax\n\t"
                 "leaq shim_data_begin + %c3(%%rip), %%rsp\n\t"
                 "addq %%rax, %%rsp\n\t"
                 "pushq %%rdi\n\t"
                 "pushq %%rsi\n\t"
                 "movl %%edx, %%edi\n\t"
                 "call shim_worker\n\t"
                 "popq %%rsi\n\t"
                 "popq %%rdi\n"
                 "1:\n\t"
                 "jmpq *%%rdi"
                 :
                 : "m"(shim_workers), "i"(x86::max_workers), "i"(sizeof(x86::WorkerStack)),
                   "i"(x86::worker_stacks_offset));
}

} // namespace

void run_on_all_processors(void (*work)()) {
    current_work.store(work);
    mailbox<std::uint64_t>(layout::mailbox_worker)
        .store(reinterpret_cast<std::uint64_t>(&worker_entry));
    set_phase(layout::phase_work);
    work();
    set_phase(layout::phase_wait);
    wait_until_alone();
}

void park_processors() {
    set_phase(layout::phase_park);
    wait_until_alone();
}

} // namespace tdshim::td
