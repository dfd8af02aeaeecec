// SPDX-License-Identifier: Apache-2.0
#include <format>
#include <iostream>

#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-sign/commands.hpp"

namespace tdshim::tools {
namespace {

nlohmann::ordered_json json_of(Bytes file, const verify::Payload& payload) {
    return {{"good", true},
            {"contents", hex(crypto::sha384(payload.contents))},
            {"size", payload.contents.size()},
            {"trusted", payload.authority.has_value()},
            {"signed", json_of_signature(file)}};
}

std::string text_of(Bytes file, const verify::Payload& payload) {
    const auto parsed = signed_payload::parse(file);
    if (!parsed)
        return std::format("good, not signed\n  contents {}, {} bytes\n",
                           hex(crypto::sha384(payload.contents)), payload.contents.size());
    return std::format("good, {}, SVN {}, version {}\n  key {}, {}\n  contents {}, {} bytes\n",
                       signed_payload::name_of(parsed->algorithm), parsed->svn, parsed->version,
                       hex(crypto::sha384(parsed->public_key)),
                       payload.authority ? "the expected one" : "not compared with any",
                       hex(crypto::sha384(payload.contents)), payload.contents.size());
}

} // namespace

Outcome<ExitCode> verify_file(const VerifyOptions& options) {
    const Wishes wishes = TRY(wishes_of(options.judge));
    const auto file = TRY(read_file(options.file));
    // With nothing to compare with, at least a signature is asked for.
    const bool is_bare = !options.judge.is_somebody() && !signed_payload::is_signed(file);
    const Result<verify::Payload> payload =
        is_bare ? refuse(Fault::signed_payload_guid) : decide(wishes, file, options.kind);
    if (!payload)
        return print_refusal(failure(options.file, payload.error()).text, options.json);
    if (options.json)
        print_json(json_of(file, *payload));
    else
        std::cout << options.file << ": " << text_of(file, *payload);
    return ExitCode::good;
}

} // namespace tdshim::tools
