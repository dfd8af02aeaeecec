// SPDX-License-Identifier: Apache-2.0
//
// The events file of a bundle: what its maker wants to see in RTMR[2] and RTMR[3], line by line
// (specs/secure-boot.md, "Events file"). Lines made for microsoft/cvmboot's PCR 11 are taken too.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shim/base/bytes.hpp"
#include "shim/base/static_vector.hpp"
#include "shim/crypto/sha384.hpp"
#include "shim/formats/bundle/wire.hpp"
#include "shim/formats/event_log/wire.hpp"

namespace tdshim::bundle {

inline constexpr std::size_t max_events = 64;
/// With the NUL of a string, and the event_log::TaggedEvent in front of binary data.
inline constexpr std::size_t max_event_data = 1024;

struct Event {
    std::uint32_t rtmr = 0;
    event_log::EventType type{};
    bool names_signer = false;                    ///< its data holds the signer's identity
    StaticVector<std::byte, max_event_data> data; ///< what is measured and logged
};

/// A file of which every line is known to be good.
class EventsFile {
  public:
    /// Checks all of `text`, which must outlive the object. No bytes are no events. `has_signer`:
    /// whether an enrolled key signed the bundle; lines that name the signer are refused where
    /// there is none.
    /// Errors: the events_ faults; `at` is an offset in `text`.
    [[nodiscard]] static Result<EventsFile> parse(Bytes text, bool has_signer);

    /// How many events there are.
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] Bytes text() const { return text_; }

  private:
    explicit EventsFile(Bytes text) : text_(text) {}
    Bytes text_;
    std::size_t size_ = 0;
};

/// Hands the events of a file out in their order.
class EventsReader {
  public:
    /// `signer`: SHA-384 of the public key that signed the bundle, as in its signature block; may
    /// be null when the file was parsed without a signer. It must outlive the reader.
    EventsReader(const EventsFile& file, const crypto::Digest* signer)
        : EventsReader(file.text(), signer) {}

    /// Fills `event` with the next one; false at the end.
    /// Errors: none for a file that was parsed with the same answer to whether there is a signer.
    [[nodiscard]] Result<bool> next(Event& event);

  private:
    friend class EventsFile;
    EventsReader(Bytes text, const crypto::Digest* signer) : text_(text), signer_(signer) {}

    Bytes text_;
    const crypto::Digest* signer_;
    std::size_t at_ = 0;     ///< of the next line
    std::size_t events_ = 0; ///< handed out
    std::uint32_t last_rtmr_ = 0;
};

} // namespace tdshim::bundle
