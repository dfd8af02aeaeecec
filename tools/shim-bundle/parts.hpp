// SPDX-License-Identifier: Apache-2.0
//
// What a bundle, or a unified kernel image, holds: as the firmware will measure it.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shim/formats/bundle/bundle.hpp"
#include "shim/formats/payload/kind.hpp"
#include "shim/measure/measurement.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// Views into the file; a file of the boot as the log has it.
struct Part {
    std::string_view name;
    Bytes contents;
};

/// A line of the events file.
struct BundleEvent {
    std::uint32_t rtmr = 0;
    event_log::EventType type{};
    std::string text;                     ///< of binary data: its digits
    std::optional<crypto::Digest> digest; ///< nothing where it depends on a signer who is not there
};

struct Parts {
    payload::Kind kind{};
    std::vector<Part> parts;
    std::optional<bundle::Manifest> manifest; ///< of a bundle
    std::string command_line;
    std::vector<BundleEvent> events;
};

/// Whether the events may name a signer, and whom.
struct SignerOfEvents {
    bool is_there = false;
    std::optional<crypto::Digest> key; ///< where it is known
};

/// Takes the contents of `file` apart, which may be signed. Refused: what is neither bundle nor
/// unified kernel image, and the parsers' faults, with their place in `file`.
[[nodiscard]] Outcome<Parts> parts_of(const std::string& name, Bytes file,
                                      const SignerOfEvents& signer);

/// Lines for people.
[[nodiscard]] std::string text_of(const Parts& parts);

/// {"kind", "manifest", "members": [...], "command_line", "events": [...]}
[[nodiscard]] nlohmann::ordered_json json_of(const Parts& parts);

} // namespace tdshim::tools
