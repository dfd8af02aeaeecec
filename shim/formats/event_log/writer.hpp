// SPDX-License-Identifier: Apache-2.0
//
// Writes the event log into its area: header event first, then events in the order in which they
// are appended, the unused tail all 0xFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "shim/formats/event_log/wire.hpp"

namespace tdshim::event_log {

class LogWriter {
  public:
    /// Clears `area` and writes the header event. The area must hold at least that event.
    explicit LogWriter(MutableBytes area);

    /// Whether an event with `data` bytes of data fits and leaves `reserve` bytes. Errors:
    /// log_full.
    [[nodiscard]] Result<void> check_room(std::size_t data, std::size_t reserve = 0) const;

    /// Appends an event whose data is `head` followed by `body`.
    /// Errors: log_full; the log is unchanged then.
    [[nodiscard]] Result<void> append(std::uint32_t mr_index, EventType type,
                                      const crypto::Digest& digest, Bytes head, Bytes body);

    /// Bytes of the area that hold events.
    [[nodiscard]] std::size_t used() const { return writer_.size(); }

  private:
    /// Into the header, for who reads the area later.
    void say_used();
    MutableBytes area_;
    Writer writer_;
};

} // namespace tdshim::event_log
