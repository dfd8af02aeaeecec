// SPDX-License-Identifier: Apache-2.0
//
// TDVMCALL: what a TD asks of its VMM [Intel TDX Guest-Hypervisor Communication Interface 1.5, 3].
// The VMM is hostile: it sees every argument, and whatever it answers is only a number. No register
// but those named here is shown to it.
#pragma once

#include <cstdint>
#include <string_view>

#include "shim/base/error.hpp"
#include "shim/base/gpa.hpp"

namespace tdshim::td {

/// Port I/O of 1, 2 or 4 bytes. A read that the VMM refuses gives ones, as an absent device does.
void write_port(std::uint16_t port, unsigned size, std::uint32_t value);
[[nodiscard]] std::uint32_t read_port(std::uint16_t port, unsigned size);

/// A device's registers at `address`, without the shared bit; `size` is 1, 2, 4 or 8 bytes.
/// Errors: tdvmcall_failed.
[[nodiscard]] Result<std::uint64_t> read_mmio(Gpa address, unsigned size);
[[nodiscard]] Result<void> write_mmio(Gpa address, unsigned size, std::uint64_t value);

/// Errors: tdvmcall_failed.
[[nodiscard]] Result<std::uint64_t> read_msr(std::uint32_t index);
[[nodiscard]] Result<void> write_msr(std::uint32_t index, std::uint64_t value);

struct CpuidValues {
    std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};
/// Errors: tdvmcall_failed.
[[nodiscard]] Result<CpuidValues> read_cpuid(std::uint32_t leaf, std::uint32_t subleaf);

/// Waits for an interrupt, or for no reason at all. Errors: tdvmcall_failed.
[[nodiscard]] Result<void> wait_for_interrupt(bool interrupts_are_blocked);

/// Asks the VMM to take `range`, whole pages, as `shared` or private, in as many steps as it wants,
/// each of which must get further. Private memory must then be accepted.
/// Errors: map_gpa_failed, map_gpa_no_progress.
enum class Visibility : bool { is_private, is_shared };
[[nodiscard]] Result<void> map_gpa(const GpaRange& range, Visibility visibility,
                                   std::uint64_t shared_bit);

/// Ends the TD with the first 64 characters of `reason` [GHCI, TDG.VP.VMCALL<ReportFatalError>].
[[noreturn]] void report_fatal_error(std::string_view reason);

} // namespace tdshim::td
