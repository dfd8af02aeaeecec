// SPDX-License-Identifier: Apache-2.0
//
// The seam's functions, for a TD and for a plain VM.
#include "shim/base/kept_text.hpp"
#include "shim/base/line.hpp"
#include "shim/memory/layout.hpp"
#include "shim/platform/devices/devices.hpp"
#include "shim/platform/platform.hpp"
#include "shim/platform/td/acceptance.hpp"
#include "shim/platform/td/processors.hpp"
#include "shim/platform/td/td.hpp"
#include "shim/platform/td/tdvmcall.hpp"
#include "shim/platform/vm/vm.hpp"
#include "shim/platform/x86/address_space.hpp"
#include "shim/platform/x86/instructions.hpp"
#include "shim/platform/x86/remains.hpp"

namespace tdshim::platform {
namespace {

// To switch to 5-level paging, Linux's decompressor reads the BIOS data area and puts a trampoline
// into memory below 640 KiB, both before it has page tables of its own [Linux
// arch/x86/boot/compressed/pgtable_64.c].
constexpr auto linux_low_memory = GpaRange::of<0, 640 * KiB>();

// A boot with many tables prints 3 KiB.
constinit KeptText<8 * KiB> kept_lines;
constinit bool is_quiet = false;

void show(std::string_view line) {
    for (const char c : line)
        devices::print_character(c);
    devices::print_character('\r');
    devices::print_character('\n');
}

void keep(std::string_view line) {
    kept_lines.add(line);
    kept_lines.add("\n");
}

} // namespace

std::string_view kind() {
    return td::active() ? "TD" : "plain VM: this is no TD, its measurements prove nothing";
}

bool is_td() {
    return td::active();
}

std::uint32_t processors() {
    return td::info().processors;
}

void print(std::string_view line) {
    if (!is_quiet)
        show(line);
    keep(line);
}

void note(std::string_view line) {
    if (!is_quiet && !td::active())
        show(line);
    keep(line);
}

void print_end(std::string_view line) {
    show(line);
    keep(line);
}

void be_quiet() {
    is_quiet = true;
}

Printed printed() {
    return {.text = kept_lines.text(), .lost = kept_lines.lost()};
}

Result<void> prepare_devices() {
    devices::prepare_q35();
    return {};
}

Result<MutableBytes> memory(const GpaRange& range) {
    TRY(x86::map(range, memory::Access::read_write));
    return MutableBytes(x86::pointer_to(range.start()), range.size());
}

Result<Bytes> image(const GpaRange& range) {
    TRY(x86::map(range, memory::Access::read));
    // Other processors come from the reset vector.
    if (range.overlaps(layout::reset_vector))
        TRY(x86::map(layout::reset_vector, memory::Access::read_execute));
    return Bytes(x86::pointer_to(range.start()), range.size());
}

Result<void> extend_rtmr(std::uint32_t rtmr, const crypto::Digest& digest) {
    return td::active() ? td::extend_rtmr(rtmr, digest) : vm::registers().extend(rtmr, digest);
}

Result<crypto::Digest> rtmr(std::uint32_t rtmr) {
    if (td::active())
        return td::read_rtmr(rtmr);
    return vm::registers().value(rtmr);
}

Gpa private_memory_end() {
    return {td::info().shared_bit()};
}

Result<memory::AcceptanceCounts> accept_memory(const memory::AcceptancePlan& plan) {
    return td::accept_memory(plan);
}

std::uint64_t ticks() {
    return x86::read_tsc();
}

Result<void> close_devices() {
    return td::active() ? td::close_shared_window() : Result<void>{};
}

Result<void> protect(const GpaRange& range, memory::Access access) {
    return x86::map(range, access);
}

Result<void> start_executable(executable::Format format, Gpa entry, Gpa hob, Gpa base) {
    using SystemV = void(__attribute__((sysv_abi))*)(std::uint64_t, std::uint64_t);
    using Microsoft = void(__attribute__((ms_abi))*)(std::uint64_t, std::uint64_t);
    if (td::active())
        td::park_processors();
    x86::clear_remains();
    switch (format) {
    case executable::Format::elf:
        reinterpret_cast<SystemV>(entry.value)(hob.value, base.value);
        break;
    case executable::Format::pe:
        reinterpret_cast<Microsoft>(entry.value)(hob.value, base.value);
        break;
    }
    return {};
}

Result<void> start_linux(const GpaRange& kernel_memory, Gpa entry, Gpa boot_params) {
    TRY(x86::map(kernel_memory, memory::Access::read_write_execute));
    TRY(x86::map(linux_low_memory, memory::Access::read_write_execute));
    if (td::active())
        td::park_processors();
    x86::clear_remains();
    x86::leave(entry.value, boot_params.value);
}

void halt(std::string_view reason) {
    if (td::active()) {
        td::report_fatal_error(reason);
        x86::halt_forever();
    }
    devices::drain_console();
    x86::reset();
}

} // namespace tdshim::platform
