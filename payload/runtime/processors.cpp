// SPDX-License-Identifier: Apache-2.0
#include "payload/runtime/processors.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "payload/runtime/address_space.hpp"
#include "payload/runtime/exceptions.hpp"
#include "payload/runtime/heap.hpp"
#include "payload/runtime/image.hpp"
#include "payload/runtime/runtime.hpp"
#include "shim/platform/td/tdvmcall.hpp"
#include "shim/platform/x86/instructions.hpp"

// What a woken processor executes first, in a page below 1 MiB. It still has the reset vector's
// page tables; behind the change of CR3 the page must be executable in the payload's as well.
asm(".pushsection .rodata.trampoline, \"a\"\n"
    "payload_trampoline:\n"
    "movq 1f(%rip), %rax\n"
    "movq %rax, %cr3\n"
    "jmpq *2f(%rip)\n"
    ".balign 8\n"
    "1: .quad 0\n"
    "2: .quad 0\n"
    "payload_trampoline_end:\n"
    ".popsection\n");

extern "C" const std::byte payload_trampoline[], payload_trampoline_end[];

namespace tdshim::runtime {
namespace {

constexpr auto below_1m = GpaRange::of<page_size, 640 * KiB - page_size>();
constexpr std::size_t stack_size = 16 * KiB;
constexpr std::uint16_t command_wakeup = 1;
// Turns of a loop with PAUSE: seconds, also where processors are emulated.
constexpr std::uint64_t patience = 100'000'000;

/// A field of the mailbox, at `offset`.
template <class T>
std::atomic_ref<T> field(Gpa mailbox, std::uint64_t offset) {
    return std::atomic_ref(*reinterpret_cast<T*>(mailbox.value + offset));
}

// For the processor that is being woken; there is one at a time.
extern "C" {
[[gnu::used]] constinit std::uint64_t payload_worker_stack = 0;
}
constinit std::uint32_t worker_apic_id = 0;
constinit void (*worker_work)(std::uint32_t) = nullptr;
constinit std::atomic<std::size_t> workers_done{};

extern "C" [[noreturn, gnu::used]] void payload_worker() {
    load_worker_descriptor_tables();
    worker_work(worker_apic_id);
    ++workers_done;
    for (;;)
        static_cast<void>(td::wait_for_interrupt(true));
}

/// In: 64-bit mode, the payload's page tables; no stack.
extern "C" [[noreturn, gnu::naked]] void payload_worker_entry() {
    asm volatile("movq payload_worker_stack(%rip), %rsp\n\t"
                 "call payload_worker");
}

bool wait_until(auto&& condition) {
    for (std::uint64_t turn = 0; turn < patience; ++turn) {
        if (condition())
            return true;
        x86::pause();
    }
    return false;
}

/// The processor that executes this.
std::uint32_t own_apic_id() {
    return x86::cpuid(1).ebx >> 24;
}

Result<Gpa> write_trampoline(const HobList& machine) {
    const GpaRange room = TRY(largest_free(machine.memory, below_1m, {}));
    if (room.empty())
        return refuse(Fault::memory_exhausted, below_1m.start().value, page_size, 0);
    std::byte* const page = x86::pointer_to(room.start());
    const auto size = static_cast<std::size_t>(payload_trampoline_end - payload_trampoline);
    std::copy(payload_trampoline, payload_trampoline_end, page);
    const std::array<std::uint64_t, 2> numbers{
        page_table_root(), gpa_of(reinterpret_cast<const void*>(&payload_worker_entry)).value};
    std::memcpy(page + size - sizeof(numbers), numbers.data(), sizeof(numbers));
    TRY(x86::map(GpaRange::between(room.start(), {room.start().value + page_size}),
                 memory::Access::read_execute));
    return room.start();
}

/// Takes `command` back, unless it was acknowledged meanwhile.
bool withdraw(std::atomic_ref<std::uint16_t> command) {
    std::uint16_t expected = command_wakeup;
    return command.compare_exchange_strong(expected, 0);
}

/// Whether it came and did its work. One that acknowledged the command uses what stands here for
/// it, whenever the VMM lets it: nothing is used again before it is done. One that did not cannot
/// any more when the command is withdrawn.
Result<bool> wake(Gpa mailbox, std::uint32_t apic_id, Gpa trampoline) {
    const MutableBytes stack = TRY(allocate(stack_size));
    payload_worker_stack = gpa_of(stack.data()).value + stack.size();
    worker_apic_id = apic_id;
    const std::size_t done = workers_done;
    const auto command = field<std::uint16_t>(mailbox, 0);
    field<std::uint32_t>(mailbox, 4).store(apic_id);
    field<std::uint64_t>(mailbox, 8).store(trampoline.value);
    command.store(command_wakeup);
    if (!wait_until([&] { return command.load() == 0; }) && withdraw(command))
        return false;
    while (workers_done.load() == done)
        x86::pause();
    return true;
}

} // namespace

Result<std::size_t> wake_processors(const HobList& machine, const Processors& processors,
                                    void (*work)(std::uint32_t)) {
    if (!processors.mailbox)
        return 0;
    worker_work = work;
    const Gpa trampoline = TRY(write_trampoline(machine));
    std::size_t came = 0;
    for (const std::uint32_t apic_id : processors.apic_ids)
        if (apic_id != own_apic_id() && TRY(wake(*processors.mailbox, apic_id, trampoline)))
            ++came;
    TRY(x86::map(GpaRange::between(trampoline, {trampoline.value + page_size}),
                 memory::Access::read_write));
    return came;
}

} // namespace tdshim::runtime
