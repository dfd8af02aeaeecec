// SPDX-License-Identifier: Apache-2.0
//
// Where the shim enters a payload [td-shim specification 0.7, part III, boot protocol], and the way
// from there to run(): the payload's own stack, descriptor tables, page tables and heap.
#include <array>
#include <cstring>
#include <optional>

#include "payload/runtime/acpi.hpp"
#include "payload/runtime/address_space.hpp"
#include "payload/runtime/exceptions.hpp"
#include "payload/runtime/heap.hpp"
#include "payload/runtime/image.hpp"
#include "payload/runtime/runtime.hpp"
#include "shim/formats/hob/wire.hpp"
#include "shim/platform/devices/devices.hpp"
#include "shim/platform/devices/ports.hpp"
#include "shim/platform/td/td.hpp"
#include "shim/platform/td/tdvmcall.hpp"
#include "shim/platform/x86/instructions.hpp"

namespace tdshim::runtime {

// payload.ld puts them first in memory that the file does not hold.
extern "C" {
[[gnu::section(".stacks"), gnu::used]] constinit Stacks payload_stacks{};
}

namespace {

constexpr auto heap_window = GpaRange::of<16 * MiB, 4 * GiB - 16 * MiB>();
constexpr std::uint64_t max_hob_list = 16 * MiB;

constinit std::uint64_t shared = 0;
constinit std::optional<HobList> hobs;
constinit Heap heap{};

/// The list tells its own end, and the shim that wrote it is trusted: it was measured.
Result<GpaRange> find_hob_list(Gpa start) {
    hob::Handoff handoff{};
    std::memcpy(&handoff, x86::pointer_to(start), sizeof(handoff));
    const std::uint64_t end = handoff.end_of_hob_list;
    if (end < start.value || end - start.value > max_hob_list)
        return refuse(Fault::hob_end, offsetof(hob::Handoff, end_of_hob_list),
                      start.value + max_hob_list, end);
    return GpaRange::between(start, {end});
}

Result<void> enter(Gpa hob_list) {
    if (td::active())
        shared = TRY(td::read_info()).shared_bit();
    const GpaRange range = TRY(find_hob_list(hob_list));
    hobs = TRY(parse_hob_list(Bytes(x86::pointer_to(range.start()), range.size())));
    TRY(enter_address_space(*hobs, range, shared));
    const std::array kept{image_range(), range};
    heap = Heap(TRY(largest_free(hobs->memory, heap_window, kept)));
    return {};
}

extern "C" [[noreturn, gnu::used]] void payload_start(std::uint64_t hob_list) {
    td::detect();
    load_descriptor_tables();
    if (const auto entered = enter({hob_list}); !entered)
        fail((Line() << "payload: cannot start: " << entered.error()).text());
    run(*hobs);
    power_off();
}

[[noreturn]] void halt() {
    for (;;)
        if (!td::active() || !td::wait_for_interrupt(true))
            x86::halt_forever();
}

} // namespace

/// In: RDI the HOB list, RSI where the payload stands; RSP the shim's stack.
extern "C" [[noreturn, gnu::naked, gnu::used, gnu::section(".text.entry")]] void payload_entry() {
    asm volatile("leaq payload_stacks + %c0(%%rip), %%rsp\n\t"
                 "xorl %%ebp, %%ebp\n\t"
                 "cld\n\t"
                 "call payload_start"
                 :
                 : "i"(main_stack_top));
}

/// The same for a PE file: RCX the HOB list, RDX where the payload stands.
extern "C" [[noreturn, gnu::naked, gnu::used, gnu::section(".text.entry")]] void
payload_entry_microsoft() {
    asm volatile("movq %rcx, %rdi\n\t"
                 "movq %rdx, %rsi\n\t"
                 "jmp payload_entry");
}

void print(std::string_view line) {
    for (const char c : line)
        devices::print_character(c);
    devices::print_character('\r');
    devices::print_character('\n');
}

bool is_td() {
    return td::active();
}

std::uint64_t shared_bit() {
    return shared;
}

Result<MutableBytes> allocate(std::size_t size, std::size_t alignment) {
    const GpaRange range = TRY(heap.allocate(size, alignment));
    const MutableBytes bytes(x86::pointer_to(range.start()), range.size());
    std::memset(bytes.data(), 0, bytes.size());
    return bytes;
}

Result<void> map(const GpaRange& range, memory::Access access) {
    return x86::map(range, access);
}

Result<void> map_device(const GpaRange& range) {
    return x86::map(range, memory::Access::shared_read_write);
}

void power_off() {
    const auto fadt = hobs->find_table("FACP");
    const auto dsdt = hobs->find_table("DSDT");
    if (fadt && dsdt)
        if (const auto off = find_soft_off(*fadt, *dsdt))
            devices::out16(off->port, off->value);
    halt();
}

void fail(std::string_view reason) {
    print(reason);
    if (td::active())
        td::report_fatal_error(reason);
    x86::halt_forever();
}

} // namespace tdshim::runtime
