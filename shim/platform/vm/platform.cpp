// SPDX-License-Identifier: Apache-2.0
//
// The seam's functions for a plain VM.
#include "shim/platform/platform.hpp"

#include "shim/measure/register_bank.hpp"
#include "shim/platform/vm/vm.hpp"
#include "shim/platform/x86/address_space.hpp"
#include "shim/platform/x86/instructions.hpp"

namespace tdshim {
namespace {

constexpr std::uint64_t cr0_not_write_through = 1 << 29;
constexpr std::uint64_t cr0_cache_disable = 1 << 30;
constexpr std::uint32_t msr_mtrr_default_type = 0x2FF;
constexpr std::uint64_t mtrr_enable_write_back = 0x806;

constinit measure::RegisterBank registers{};

// To switch to 5-level paging, Linux's decompressor reads the BIOS data area and puts a trampoline
// into memory below 640 KiB, both before it has page tables of its own [Linux
// arch/x86/boot/compressed/pgtable_64.c].
constexpr auto linux_low_memory = GpaRange::of<0, 640 * KiB>();

std::byte* pointer_to(Gpa address) {
    return reinterpret_cast<std::byte*>(address.value);
}

} // namespace

void vm::prepare_processor() {
    x86::write_cr0(x86::read_cr0() & ~(cr0_not_write_through | cr0_cache_disable));
    x86::write_msr(msr_mtrr_default_type, mtrr_enable_write_back);
}

namespace platform {

std::string_view kind() {
    return "plain VM: this is no TD, its measurements prove nothing";
}

void print(std::string_view line) {
    for (const char c : line)
        vm::print_character(c);
    vm::print_character('\r');
    vm::print_character('\n');
}

Result<void> prepare_devices() {
    vm::prepare_q35();
    return {};
}

Result<MutableBytes> memory(const GpaRange& range) {
    TRY(x86::map(range, memory::Access::read_write));
    return MutableBytes(pointer_to(range.start()), range.size());
}

Result<Bytes> image(const GpaRange& range) {
    TRY(x86::map(range, memory::Access::read));
    return Bytes(pointer_to(range.start()), range.size());
}

Result<void> extend_rtmr(std::uint32_t rtmr, const crypto::Digest& digest) {
    return registers.extend(rtmr, digest);
}

const crypto::Digest& rtmr(std::uint32_t rtmr) {
    return registers.value(rtmr);
}

std::uint64_t ticks() {
    return x86::read_tsc();
}

Result<void> start_linux(const GpaRange& kernel_memory, Gpa entry, Gpa boot_params) {
    TRY(x86::map(kernel_memory, memory::Access::read_write_execute));
    TRY(x86::map(linux_low_memory, memory::Access::read_write_execute));
    asm volatile("jmp *%0" : : "r"(entry.value), "S"(boot_params.value) : "memory");
    __builtin_unreachable();
}

void halt() {
    x86::halt_forever();
}

} // namespace platform
} // namespace tdshim
