// SPDX-License-Identifier: Apache-2.0
//
// Exceptions of a payload: its own IDT, handlers that may resume, and a way to try what faults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "shim/base/error.hpp"
#include "shim/platform/td/instruction_emulation.hpp"

namespace tdshim::runtime {

inline constexpr std::size_t exception_count = 32;
inline constexpr std::size_t general_protection = 13;
inline constexpr std::size_t page_fault = 14;
inline constexpr std::size_t virtualization_exception = 20;

/// What the entry code pushes, and the processor before it. A handler's changes become real.
struct Frame {
    td::GeneralRegisters registers;
    std::uint64_t vector, error_code;
    std::uint64_t rip, cs, rflags, rsp, ss;
};

/// Returns whether the interrupted code goes on, as the frame says.
using Handler = bool (*)(Frame& frame);

/// Replaces what is done about `vector`. From the start #VE is answered by handle_ve(); any other
/// exception prints a line and ends.
void set_handler(std::size_t vector, Handler handler);

/// Asks the TDX module why, then the VMM for what the instruction wants, MMIO among it.
[[nodiscard]] bool handle_ve(Frame& frame);
/// The second half of it. Errors: those of td::emulate(); ve_not_emulated.
[[nodiscard]] Result<void> emulate_ve(Frame& frame, const td::VeInfo& info);

/// An exception that nothing handled.
struct Exception {
    std::uint64_t vector = 0;
    std::uint64_t error_code = 0;
    std::uint64_t rip = 0;
    std::uint64_t address = 0; ///< CR2
};

/// Calls `action`. The first exception that no handler takes ends the call and is returned. Not to
/// be nested, and for the first processor only.
[[nodiscard]] std::optional<Exception> attempt(void (*action)(void* argument), void* argument);

/// Loads GDT, TSS and IDT of the payload's own.
void load_descriptor_tables();
/// The same for another processor, which has no stack for exceptions alone.
void load_worker_descriptor_tables();

} // namespace tdshim::runtime
