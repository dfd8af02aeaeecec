// SPDX-License-Identifier: Apache-2.0
//
// Payloads that bring the files of a boot themselves, unified kernel images and Linux bundles: what
// the firmware measures in place of one file.
#pragma once

#include <string>

#include "shim/formats/payload/kind.hpp"
#include "tools/measurements/prediction.hpp"

namespace tdshim::tools {

struct Container {
    payload::Kind kind{};
    Bytes bytes;
    std::string origin;                   ///< in words
    std::string name;                     ///< for messages
    std::optional<crypto::Digest> signer; ///< hash of the enrolled key that signed it
};

[[nodiscard]] bool is_container(payload::Kind kind);

/// Puts its files into `inputs`, where what the VMM supplies beside it is already. Returns whether
/// it brings a command line. A Failure where the firmware refuses the boot.
[[nodiscard]] Outcome<bool> open_container(const Container& container, BootInputs& inputs);

} // namespace tdshim::tools
