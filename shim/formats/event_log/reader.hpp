// SPDX-License-Identifier: Apache-2.0
//
// Reads an event log, ours or one of another firmware, event by event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shim/base/gpa.hpp"
#include "shim/formats/event_log/wire.hpp"

namespace tdshim::event_log {

struct Event {
    std::size_t offset = 0; ///< of the event in the log
    std::uint32_t mr_index = 0;
    EventType type{}; ///< any number may stand here
    crypto::Digest digest{};
    Bytes data;
};

class LogReader {
  public:
    /// Checks the header event of `log`, which must outlive the reader.
    /// Errors: truncated, log_header, log_digest_algorithm.
    [[nodiscard]] static Result<LogReader> open(Bytes log);

    /// The next event; nothing at the end of the log.
    /// Errors: truncated, log_digest_algorithm, log_register.
    [[nodiscard]] Result<std::optional<Event>> next();

    /// Offset of the first byte that was not read yet: at the end, the bytes in use.
    [[nodiscard]] std::size_t offset() const { return reader_.offset(); }

    [[nodiscard]] Bytes vendor_info() const { return vendor_info_; }

    /// Bytes of the log up to the end of its last event, as its header says; nothing in logs of
    /// another make.
    [[nodiscard]] std::optional<std::uint32_t> announced() const;

  private:
    LogReader(Reader reader, Bytes vendor_info) : reader_(reader), vendor_info_(vendor_info) {}
    Reader reader_;
    Bytes vendor_info_;
};

/// What the data of an event says about itself, where its form is known.
struct Description {
    std::string_view name;         ///< without trailing NULs
    std::optional<GpaRange> range; ///< of a blob: where it stood in memory
    Bytes info;                    ///< of a configuration event: the information
};

/// Nothing when the event's data does not have the form of its type.
[[nodiscard]] std::optional<Description> describe(const Event& event);

} // namespace tdshim::event_log
