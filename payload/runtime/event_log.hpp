// SPDX-License-Identifier: Apache-2.0
//
// How a payload adds to the event log that the firmware began; measurement.hpp is what payloads
// use.
#pragma once

#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/crypto/sha384.hpp"

namespace tdshim::runtime {

/// Offset in `log` behind its last event. Errors: log_full when an event of `data` bytes behind a
/// tag has no room there; those of event_log::LogReader.
[[nodiscard]] Result<std::size_t> find_room(Bytes log, std::size_t data);

/// Bytes of an event of `data` bytes, with what stands before them.
[[nodiscard]] std::size_t size_of_event(std::size_t data);

/// What an event of `data` extends its register by: the SHA-384 of our tag and `data`.
[[nodiscard]] crypto::Digest digest_of_event(Bytes data);

/// Writes an event EV_EVENT_TAG of `data`, our tag in front, into a find_room() for it. Readers
/// take any bytes there, where they want text of other types. The header, which says where the
/// firmware's events end, stays as it is: a verifier is shown this one as appended. Errors:
/// log_full.
[[nodiscard]] Result<void> write_event(MutableBytes room, std::uint32_t rtmr,
                                       const crypto::Digest& digest, Bytes data);

} // namespace tdshim::runtime
