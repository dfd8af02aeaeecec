// SPDX-License-Identifier: Apache-2.0
//
// The firmware's question, asked by a tool: whether an image's enrolment, or one key, lets a
// payload run. shim-sign and shim-bundle share it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "shim/verify/payload.hpp"
#include "tools/common/exit_code.hpp"
#include "tools/common/failure.hpp"

namespace CLI {
class App;
}

namespace tdshim::tools {

/// Who decides.
struct Judge {
    std::string firmware;   ///< an image whose enrolment does,
    std::string public_key; ///< or this key alone,
    bool any_key = false;   ///< or nobody: a signature is to be that of the key beside it
};

/// --firmware and --public-key. --any-key is the tool's own to offer.
void add_judge_options(CLI::App& app, Judge& judge);

/// The owner's wishes, and the bytes that they are views into. Refused: a judge who is nobody or
/// more than one. With any key nothing is demanded.
struct Wishes {
    std::vector<std::byte> volume;
    cfv::Enrolment enrolment;
};
[[nodiscard]] Outcome<Wishes> wishes_of(const Judge& judge);

/// verify::check_payload of `file`, which is called `name`, with memory of its own.
[[nodiscard]] Result<verify::Payload> decide(const Wishes& wishes, std::string_view name,
                                             Bytes file, verify::PayloadKind kind);

/// Why decide() refused `file`, for who reads it: of a key that nobody asked for, whose it is.
[[nodiscard]] std::string reason_of(const Wishes& wishes, const Judge& judge,
                                    const std::string& name, Bytes file, const Error& error);

/// Prints why a payload is not to run: what both tools say of a refusal.
ExitCode print_refusal(const std::string& reason, bool json);

/// {"algorithm", "numbering", "key", "svn", "version"} as `file` says; null when it is not signed.
[[nodiscard]] nlohmann::ordered_json json_of_signature(Bytes file);

} // namespace tdshim::tools
