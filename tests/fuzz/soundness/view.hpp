// SPDX-License-Identifier: Apache-2.0
//
// What a payload would see when it starts: the part of a machine that decides what runs. It is read
// from the machine's memory as Linux and payloads read it, and knows nothing of how the firmware
// came to put it there. Two boots with the same view ran the same thing.
//
// Not in it is what specs/threat-model.md lets the VMM choose unmeasured: how much private memory
// there is and where, and with it the addresses that follow. Pointers are followed and not
// compared.
#pragma once

#include <string>
#include <vector>

#include "shim/crypto/sha384.hpp"
#include "tests/fuzz/soundness/launch.hpp"

namespace tdshim::soundness {

/// A thing that is seen, by a name that says what it is.
struct Seen {
    std::string what;
    Blob content;
    bool operator==(const Seen&) const = default;
};

using View = std::vector<Seen>;

/// Of a boot that started a payload.
[[nodiscard]] View view_of(native::Machine& machine, const Launch& launch,
                           const native::Outcome& outcome);

/// The first thing in which two views differ, in words.
[[nodiscard]] std::string difference(const View& one, const View& other);

[[nodiscard]] crypto::Digest digest_of(const View& view);

} // namespace tdshim::soundness
