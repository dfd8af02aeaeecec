// SPDX-License-Identifier: Apache-2.0
#include <format>
#include <iostream>

#include "shim/plan/payload_files.hpp"
#include "tools/common/file_digest.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/look.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-sign/commands.hpp"

namespace tdshim::tools {
namespace {

nlohmann::ordered_json json_of(Bytes file, payload::Kind kind, const verify::Payload& payload,
                               const crypto::Digest& contents) {
    return {{"good", true},
            {"kind", payload::name_of(kind)},
            {"digest", hex(contents)},
            {"size", payload.contents.size()},
            {"trusted", payload.authority.has_value()},
            {"signed", json_of_signature(file)}};
}

std::string text_of(Bytes file, payload::Kind kind, const verify::Payload& payload,
                    const crypto::Digest& contents) {
    const auto parsed = signed_payload::parse(file);
    if (!parsed)
        return std::format("good, not signed\n  contents {}, {} bytes, {}\n", hex(contents),
                           payload.contents.size(), payload::name_of(kind));
    return std::format("good, {}, SVN {}, version {}\n  key {}, {}\n  contents {}, {} bytes, {}\n",
                       signed_payload::name_of(parsed->algorithm), parsed->svn, parsed->version,
                       hex(crypto::sha384(parsed->public_key)),
                       payload.authority ? "the expected one" : "not compared with any",
                       hex(contents), payload.contents.size(), payload::name_of(kind));
}

/// As the firmware tells it.
Result<payload::Kind> kind_of(Bytes file, ExpectedKind expected) {
    return expected == ExpectedKind::raw_vmlinux ? payload::Kind::raw_vmlinux
                                                 : plan::kind_of_file(file);
}

bool is_expected(verify::PayloadKind kind, ExpectedKind expected) {
    switch (expected) {
    case ExpectedKind::executable: return kind == verify::PayloadKind::executable;
    case ExpectedKind::linux_bundle: return kind == verify::PayloadKind::linux_bundle;
    case ExpectedKind::any:
    case ExpectedKind::raw_vmlinux: return true;
    }
    return false;
}

Result<verify::Payload> judge(const Wishes& wishes, const VerifyOptions& options, Bytes file,
                              payload::Kind kind) {
    if (options.judge.any_key && !signed_payload::is_signed(file))
        return refuse(Fault::signed_payload_guid);
    return decide(wishes, options.file, file, verify::kind_of(kind));
}

} // namespace

Outcome<ExitCode> verify_file(const VerifyOptions& options) {
    const Wishes wishes = TRY(wishes_of(options.judge));
    const auto file = TRY(read_file(options.file));
    const auto kind = kind_of(file, options.kind);
    if (!kind)
        return print_refusal(failure(options.file, file, kind.error()).text, options.json);
    const auto payload = judge(wishes, options, file, *kind);
    if (!payload)
        return print_refusal(reason_of(wishes, options.judge, options.file, file, payload.error()),
                             options.json);
    if (!is_expected(verify::kind_of(*kind), options.kind))
        return print_refusal(std::format("{}: is a {}, and --kind asks for another", options.file,
                                         payload::name_of(*kind)),
                             options.json);
    const auto contents = TRY(digest_of_contents(options.file, payload->contents)).digest;
    const bool asks_for_none = wishes.enrolment.policy == cfv::Policy::measured;
    if (options.json) {
        auto json = json_of(file, *kind, *payload, contents);
        if (!options.judge.firmware.empty())
            json["firmware_asks_for_signature"] = !asks_for_none;
        print_json("shim-sign-verify/1", json);
        return ExitCode::good;
    }
    std::cout << options.file << ": " << text_of(file, *kind, *payload, contents);
    if (!options.judge.firmware.empty() && asks_for_none)
        std::cout << std::format("note: {} asks for nobody's signature: what is enrolled in it is "
                                 "{}\n",
                                 options.judge.firmware,
                                 wishes.enrolment.keys.empty() ? "no key" : "policy measured");
    return ExitCode::good;
}

} // namespace tdshim::tools
