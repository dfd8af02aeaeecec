// SPDX-License-Identifier: Apache-2.0
//
// What a payload has under it: a console, the machine's description by HOBs, memory, and an end. A
// payload is one function, runtime::run(), linked with the library of this folder
// (specs/payload-guide.md).
#pragma once

#include <string_view>

#include "payload/runtime/hob_list.hpp"
#include "shim/base/bytes.hpp"
#include "shim/base/gpa.hpp"
#include "shim/base/line.hpp"
#include "shim/memory/page_tables.hpp"

namespace tdshim::runtime {

/// The payload's own: called once, on one processor, with interrupts off. When it returns the
/// machine is switched off.
void run(const HobList& machine);

/// Prints one line on the serial port.
void print(std::string_view line);
inline void print(const Line& line) {
    print(line.text());
}

/// Whether this is a TD.
[[nodiscard]] bool is_td();
/// The address bit by which a TD names memory that it shares with its VMM; 0 in a plain VM.
[[nodiscard]] std::uint64_t shared_bit();

/// `size` bytes of zeros from a heap that only grows; `alignment` is a power of two. Errors:
/// memory_exhausted.
[[nodiscard]] Result<MutableBytes> allocate(std::size_t size, std::size_t alignment = 16);

/// Maps `range` at its own address: memory that the E820 table calls usable, ACPI or NVS is mapped
/// from the start, and nothing else but the payload is. Errors: page_tables_full, range_wraps.
[[nodiscard]] Result<void> map(const GpaRange& range, memory::Access access);
/// The same for registers of a device.
[[nodiscard]] Result<void> map_device(const GpaRange& range);

/// Switches the machine off, or halts it where that cannot be done.
[[noreturn]] void power_off();

/// Prints `reason` and ends: a TD by a fatal error that its VMM is told, a plain VM by a halt.
[[noreturn]] void fail(std::string_view reason);

} // namespace tdshim::runtime
