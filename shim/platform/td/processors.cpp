// SPDX-License-Identifier: Apache-2.0
#include "shim/platform/td/processors.hpp"

#include <atomic>
#include <cstdint>

#include "shim/memory/layout.hpp"
#include "shim/platform/td/tdvmcall.hpp"
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

constexpr std::uint32_t cpuid_extended_topology = 0xB; // EDX: x2APIC ID

constinit std::atomic<void (*)()> current_work{};
constinit std::atomic<std::uint32_t> shim_workers{}; // stacks given out
constinit std::uint32_t phases_over = 0;

std::uint32_t phase_of_work() {
    return layout::first_phase_of_work + phases_over;
}

/// Ends the phase `from` when nobody is counted in any more. The reset vector counts a processor in
/// before it enters the shim, in the step in which it sees that the phase is work, and out when it
/// has left.
void change_phase(std::uint32_t from, std::uint32_t to) {
    std::uint32_t expected = from;
    while (!mailbox<std::uint32_t>(layout::mailbox_state).compare_exchange_strong(expected, to)) {
        expected = from;
        x86::pause();
    }
}

/// Nobody is counted in: nothing of another processor's is in the shim's memory.
void wait_until_alone() {
    while (mailbox<std::uint32_t>(layout::mailbox_state).load() != layout::phase_wait)
        x86::pause();
}

/// Nobody joins from now on; the next phase of work is another.
void close_phase_of_work() {
    mailbox<std::uint32_t>(layout::mailbox_state).fetch_sub(phase_of_work());
    static_assert(layout::phase_wait == 0);
    ++phases_over;
}

extern "C" [[gnu::used]] void shim_worker(std::size_t worker) {
    x86::join_address_space();
    x86::load_worker_descriptor_tables(worker);
    x86::protect_supervisor();
    current_work.load()();
}

/// In: RDI the address to go back to, ESI the vCPU index; no stack. Every processor enters once in
/// each phase of work; RBX is as it was when it leaves.
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

void claim_apic_id() {
    const auto topology = read_cpuid(cpuid_extended_topology, 0);
    const std::uint32_t id = topology ? topology->edx : 0;
    if (id <= layout::max_apic_id)
        mailbox<std::uint16_t>(layout::mailbox_claims).store(static_cast<std::uint16_t>(id + 1));
}

void run_on_all_processors(void (*work)()) {
    if (phase_of_work() == layout::joined_one) // there are no more numbers of phases
        return work();
    current_work.store(work);
    shim_workers.store(0);
    mailbox<std::uint64_t>(layout::mailbox_worker)
        .store(reinterpret_cast<std::uint64_t>(&worker_entry));
    change_phase(layout::phase_wait, phase_of_work());
    work();
    close_phase_of_work();
    wait_until_alone();
}

void park_processors() {
    change_phase(layout::phase_wait, layout::phase_park);
}

} // namespace tdshim::td
