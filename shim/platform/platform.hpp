// SPDX-License-Identifier: Apache-2.0
//
// The seam between the boot and the machine: all that the boot needs of it, as plain functions that
// are bound when the program is linked. The firmware links shim/platform/x86 and vm; tests link a
// machine of their own (tests/native).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/crypto/sha384.hpp"
#include "shim/formats/executable/program.hpp"
#include "shim/formats/fw_cfg/wire.hpp"
#include "shim/memory/acceptance.hpp"
#include "shim/memory/page_tables.hpp"

namespace tdshim::platform {

/// What this machine is, as the first console line says it.
[[nodiscard]] std::string_view kind();

/// Whether this is a TD: then the memory map is the TD HOB's, and memory must be accepted.
[[nodiscard]] bool is_td();

/// Processors of a TD, as the TDX module says.
[[nodiscard]] std::uint32_t processors();

/// Prints one line on the console, unless that is quiet, and keeps it for printed().
void print(std::string_view line);

/// As print(), a line of detail: in a TD, where each character is a call of the VMM, it is only
/// kept.
void note(std::string_view line);

/// Prints why the boot ends, in any case.
void print_end(std::string_view line);

/// Nothing is printed from now on but ends.
void be_quiet();

/// What was printed until now: the lines that there was room for, and how many bytes came later.
struct Printed {
    std::string_view text;
    std::uint64_t lost = 0;
};
[[nodiscard]] Printed printed();

/// Sets up what devices need before Linux finds them, and before the VMM's ACPI tables are read, in
/// which QEMU describes that set-up.
[[nodiscard]] Result<void> prepare_devices();

/// Private memory at `range`, readable and writable. Every pointer into guest memory comes from
/// here. Errors: page_tables_full, range_wraps.
[[nodiscard]] Result<MutableBytes> memory(const GpaRange& range);

/// The firmware image's bytes at `range`, read-only. Errors: as memory().
[[nodiscard]] Result<Bytes> image(const GpaRange& range);

/// Checks that fw_cfg answers. Errors: fw_cfg_absent.
[[nodiscard]] Result<void> open_fw_cfg();

/// The item whose bytes read_fw_cfg() reads next, from its start.
void select_fw_cfg(fw_cfg::Selector selector);

/// Reads the next bytes of the selected item. Errors: fw_cfg_transfer.
[[nodiscard]] Result<void> read_fw_cfg(MutableBytes destination);

/// Writes `bytes` into file `selector` from `offset` on. Errors: fw_cfg_transfer.
[[nodiscard]] Result<void> write_fw_cfg(fw_cfg::Selector selector, std::uint32_t offset,
                                        Bytes bytes);

/// Extends RTMR[`rtmr`]. Errors: log_rtmr_index.
[[nodiscard]] Result<void> extend_rtmr(std::uint32_t rtmr, const crypto::Digest& digest);

/// RTMR[`rtmr`] as it is now. Errors: log_rtmr_index, tdcall_failed.
[[nodiscard]] Result<crypto::Digest> rtmr(std::uint32_t rtmr);

/// First address that is no private memory of this TD.
[[nodiscard]] Gpa private_memory_end();

/// Carries the plan out, shared over the processors that are there.
/// Errors: those of memory::accept().
[[nodiscard]] Result<memory::AcceptanceCounts> accept_memory(const memory::AcceptancePlan& plan);

/// The processor's time stamp counter, which starts at the machine's reset.
[[nodiscard]] std::uint64_t ticks();

/// Ends what the shim shares with the VMM; nothing of fw_cfg may be read afterwards.
/// Errors: map_gpa_failed, map_gpa_no_progress, page_not_accepted, page_already_accepted.
[[nodiscard]] Result<void> close_devices();

/// Gives private memory at `range` these permissions from now on. Errors: as memory().
[[nodiscard]] Result<void> protect(const GpaRange& range, memory::Access access);

/// Calls `entry` by its format's convention, with the addresses of the payload HOB list and of the
/// program. Returns when the program does.
[[nodiscard]] Result<void> start_executable(executable::Format format, Gpa entry, Gpa hob,
                                            Gpa base);

/// Maps `kernel_memory` as the kernel needs it and starts the kernel. Errors: page_tables_full.
[[nodiscard]] Result<void> start_linux(const GpaRange& kernel_memory, Gpa entry, Gpa boot_params);

/// Ends the machine: a TD's VMM is told `reason`, and the processor halts; a plain VM is reset.
[[noreturn]] void halt(std::string_view reason);

} // namespace tdshim::platform
