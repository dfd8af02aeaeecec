// SPDX-License-Identifier: Apache-2.0
//
// How the firmware writes an event's data: a printable name, unless it is the VMM's, zeros where it
// is padded, and nothing behind the fields. Whoever ships a log may write other bytes where no
// digest covers them, which a reader that stops at the first NUL does not see.
#pragma once

#include <optional>
#include <string>

#include "shim/formats/event_log/reader.hpp"

namespace tdshim::tools {

/// In which way the data of a configuration event, of a file's, a tagged one or a separator is not
/// as the firmware writes it; nothing where it is, and for events of other types.
[[nodiscard]] std::optional<std::string> wrong_form(const event_log::Event& event);

/// Whether the firmware writes events of that type into the event's register: into RTMR[2] and
/// RTMR[3] it writes those of a bundle alone.
[[nodiscard]] bool is_type_of_firmware(const event_log::Event& event);

/// Whether it is an EV_EVENT_TAG that a bundle of ours, or a payload with our runtime, has.
[[nodiscard]] bool has_tag_of_ours(const event_log::Event& event);

/// Which end of a boot a separator is: that of one which was refused, or the good one.
[[nodiscard]] bool is_error_separator(const event_log::Event& event);
[[nodiscard]] bool is_good_separator(const event_log::Event& event);

/// How many bytes were measured, as the event says: of a file its size, of configuration that of
/// the information, of a separator that of its number, of any other that of its data.
[[nodiscard]] std::uint64_t measured_size(const event_log::Event& event);

} // namespace tdshim::tools
