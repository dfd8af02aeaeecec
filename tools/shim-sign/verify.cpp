// SPDX-License-Identifier: Apache-2.0
#include <format>
#include <iostream>

#include "tools/common/files.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-sign/commands.hpp"
#include "tools/signing/firmware_volume.hpp"
#include "tools/signing/keys.hpp"

namespace tdshim::tools {
namespace {

/// The owner's wishes, and the bytes that they are views into.
struct Wishes {
    std::vector<std::byte> volume;
    cfv::Enrolment enrolment;
};

Outcome<Wishes> wishes_of(const VerifyOptions& options) {
    Wishes wishes;
    if (!options.firmware.empty()) {
        const auto image = TRY(read_file(options.firmware));
        const VolumePlace place = TRY(require_volume(image, options.firmware));
        const Bytes volume = Bytes(image).subspan(place.offset, place.size);
        wishes.volume.assign(volume.begin(), volume.end());
        wishes.enrolment = TRY(of_file(options.firmware, cfv::parse(wishes.volume)));
    } else if (!options.public_key.empty()) {
        const PublicKey key = TRY(read_public_key(options.public_key));
        wishes.enrolment.policy = cfv::Policy::signed_only;
        const cfv::Key entry{.hash = key.hash(), .algorithm = key.algorithm};
        if (!wishes.enrolment.keys.push(entry))
            return std::unexpected(failure(options.public_key, "is one key too many"));
    }
    return wishes;
}

/// With nothing to compare with, at least a signature is asked for.
Result<verify::Payload> decide(const VerifyOptions& options, const Wishes& wishes, Bytes file) {
    const bool has_wishes = !options.firmware.empty() || !options.public_key.empty();
    if (!has_wishes && !signed_payload::is_signed(file))
        return refuse(Fault::signed_payload_guid);
    crypto::SignatureMemory memory;
    return verify::check_payload(wishes.enrolment, file, options.kind, memory.bytes);
}

nlohmann::ordered_json json_of(Bytes file, const verify::Payload& payload) {
    nlohmann::ordered_json json{{"good", true},
                                {"contents", hex(crypto::sha384(payload.contents))},
                                {"size", payload.contents.size()},
                                {"trusted", payload.authority.has_value()},
                                {"signed", nullptr}};
    if (const auto parsed = signed_payload::parse(file))
        json["signed"] = {{"algorithm", signed_payload::name_of(parsed->algorithm)},
                          {"numbering", parsed->numbering == signed_payload::Numbering::document
                                            ? "document"
                                            : "td-shim"},
                          {"key", hex(crypto::sha384(parsed->public_key))},
                          {"svn", parsed->svn},
                          {"version", parsed->version}};
    return json;
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
    if (!options.firmware.empty() && !options.public_key.empty())
        return std::unexpected(Failure{"--firmware and --public-key exclude each other"});
    const Wishes wishes = TRY(wishes_of(options));
    const auto file = TRY(read_file(options.file));
    const auto payload = decide(options, wishes, file);
    if (!payload) {
        const std::string reason = failure(options.file, payload.error()).text;
        if (options.json)
            print_json({{"good", false}, {"reason", reason}});
        else
            std::cout << reason << '\n';
        return ExitCode::check_failed;
    }
    if (options.json)
        print_json(json_of(file, *payload));
    else
        std::cout << options.file << ": " << text_of(file, *payload);
    return ExitCode::good;
}

} // namespace tdshim::tools
