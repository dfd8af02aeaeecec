// SPDX-License-Identifier: Apache-2.0
//
// The shim's entry point. The reset vector jumps here in 64-bit mode, paging on, in its own W^X
// page tables, with the shim's code copied to where it runs.
#include "shim/base/line.hpp"
#include "shim/boot/boot.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/devices/devices.hpp"
#include "shim/platform/platform.hpp"
#include "shim/platform/td/processors.hpp"
#include "shim/platform/td/td.hpp"
#include "shim/platform/vm/vm.hpp"
#include "shim/platform/x86/address_space.hpp"
#include "shim/platform/x86/descriptor_tables.hpp"
#include "shim/platform/x86/instructions.hpp"
#include "shim/platform/x86/protection.hpp"
#include "shim/platform/x86/stack_guard.hpp"
#include "shim/platform/x86/stacks.hpp"
#include "shim/platform/x86/vectors.hpp"

namespace tdshim::x86 {
namespace {

Result<void> enter() {
    if (!td::active())
        return enter_address_space(0);
    TRY(td::enter());
    TRY(enter_address_space(td::info().shared_bit()));
    td::claim_apic_id();
    return {};
}

// Without a guard of its own: it is entered before there is one.
extern "C" [[noreturn, gnu::used, gnu::no_stack_protector]] void shim_main() {
    const bool is_random = choose_stack_guard();
    td::detect();
    if (td::active())
        td::disable_pending_ve();
    else
        vm::prepare_processor();
    load_descriptor_tables(exception_stacks());
    protect_supervisor();
    hash_by_vectors();
    // The VMM can make RDRAND fail, by exhausting it, and could then work out the guard's value.
    const auto entered = td::active() && !is_random ? refuse(Fault::no_random_number) : enter();
    if (!entered) {
        const Line line = Line() << "tdshim: cannot start: " << entered.error();
        platform::print_end(line.text());
        platform::halt(line.text());
    }
    boot::boot();
}

} // namespace

/// In: nothing but the mode. Clears the shim's data and what is left of its memory, for that need
/// not be zero after a reset, and in a TD the VMM filled it, and takes the boot's stack.
extern "C" [[noreturn, gnu::naked, gnu::used, gnu::section(".text.entry")]] void shim_entry() {
    asm volatile("leaq shim_data_begin(%%rip), %%rdi\n\t"
                 "movl %1, %%ecx\n\t"
                 "xorl %%eax, %%eax\n\t"
                 "cld\n\t"
                 "rep stosb\n\t"
                 "leaq shim_data_begin + %c0(%%rip), %%rsp\n\t"
                 "call shim_main"
                 :
                 : "i"(boot_stack_top), "i"(layout::shim_data.size()));
}

} // namespace tdshim::x86
