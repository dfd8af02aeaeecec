// SPDX-License-Identifier: Apache-2.0
//
// The event log that a boot leaves in a machine's memory, by the reader that the tools have.
#pragma once

#include <string_view>
#include <vector>

#include "shim/formats/event_log/reader.hpp"
#include "tests/native/machine.hpp"

namespace tdshim::native {

/// Its events, whose data points into the machine's memory. Errors: those of LogReader.
[[nodiscard]] Result<std::vector<event_log::Event>> events_of(Machine& machine);

/// Whether there is a log, and it leads to the machine's registers.
[[nodiscard]] bool log_leads_to_registers(Machine& machine);

/// What the digests of the firmware's own events are made of: a file of the VMM's configuration
/// behind its name, with the name's length, and the whole data of a configuration event.
[[nodiscard]] Blob named_file(std::string_view name, Bytes file);
[[nodiscard]] Blob named_config(std::string_view descriptor, Bytes info);

[[nodiscard]] std::size_t count_separators(const std::vector<event_log::Event>& events);

} // namespace tdshim::native
