// SPDX-License-Identifier: Apache-2.0
#include "tools/signing/judgement.hpp"

#include <format>
#include <iostream>

#include "tools/common/command.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/progress.hpp"
#include "tools/common/text.hpp"
#include "tools/signing/enrolment_text.hpp"
#include "tools/signing/firmware_volume.hpp"
#include "tools/signing/keys.hpp"

namespace tdshim::tools {
namespace {

bool is_signed_by_its_key(const signed_payload::SignedPayload& payload) {
    crypto::SignatureMemory memory;
    return verify::check_signature(payload, memory.bytes).has_value();
}

/// Of a key that nobody asked for, whose it is.
std::string unknown_key_text(const Wishes& wishes, const Judge& judge, const std::string& name,
                             Bytes file, const Error& error) {
    const std::string text = failure(name, error).text;
    const auto payload = signed_payload::parse(file);
    if (!payload)
        return text;
    const std::string key = hex(crypto::sha384(payload->public_key));
    const bool is_signer = is_signed_by_its_key(*payload);
    if (judge.public_key.empty())
        return std::format("{}: key {}{}", text, key,
                           is_signer ? "" : ", which did not sign it either");
    return std::format("{}: {}, key {}, did not sign it: {} key {}{}", name,
                       shown_name(judge.public_key), hex(wishes.enrolment.keys[0].hash),
                       is_signer ? "it is signed by" : "it names", key,
                       is_signer ? "" : ", which did not either");
}

std::string name_of_kinds(std::uint64_t kinds) {
    return names_of_kinds(static_cast<std::uint32_t>(kinds));
}

std::string_view name_of_algorithm(std::uint64_t number) {
    return signed_payload::name_of(static_cast<signed_payload::Algorithm>(number));
}

} // namespace

void add_judge_options(CLI::App& app, Judge& judge) {
    app.add_option("--firmware", judge.firmware, "image whose enrolment decides");
    app.add_option("--public-key", judge.public_key,
                   "the one key that is enough, PEM or DER or a token's URI");
}

Outcome<Wishes> wishes_of(const Judge& judge) {
    Wishes wishes;
    const int judges = !judge.firmware.empty() + !judge.public_key.empty() + judge.any_key;
    if (judges == 0)
        return std::unexpected(Failure{"nobody says which key is right: give --firmware IMAGE or "
                                       "--public-key FILE (see --help)"});
    if (judges > 1)
        return std::unexpected(
            Failure{"more than one option says which key is right: give one (see --help)"});
    if (!judge.firmware.empty()) {
        const auto image = TRY(read_file(judge.firmware));
        const VolumePlace place = TRY(require_volume(image, judge.firmware));
        const Bytes volume = Bytes(image).subspan(place.offset, place.size);
        wishes.volume.assign(volume.begin(), volume.end());
        wishes.enrolment = TRY(of_file(judge.firmware, cfv::parse(wishes.volume)));
    } else if (!judge.public_key.empty()) {
        const PublicKey key = TRY(read_public_key(judge.public_key));
        wishes.enrolment.policy = cfv::Policy::signed_only;
        const cfv::Key entry{.hash = key.hash(), .algorithm = key.algorithm};
        if (!wishes.enrolment.keys.push(entry))
            return std::unexpected(failure(judge.public_key, "is one key too many"));
    }
    return wishes;
}

Result<verify::Payload> decide(const Wishes& wishes, std::string_view name, Bytes file,
                               verify::PayloadKind kind) {
    const Progress progress(name, "checking", file.size());
    crypto::SignatureMemory memory;
    return verify::check_payload(wishes.enrolment, file, kind, memory.bytes);
}

std::string reason_of(const Wishes& wishes, const Judge& judge, const std::string& name, Bytes file,
                      const Error& error) {
    const auto wrong_use = [&](auto name_of_number) {
        return std::format("{}: {}: it is for {}, and this is {}", name, sentence(error.fault),
                           name_of_number(error.expected), name_of_number(error.found));
    };
    if (error.fault == Fault::payload_key_unknown)
        return unknown_key_text(wishes, judge, name, file, error);
    if (error.fault == Fault::payload_key_kind)
        return wrong_use(name_of_kinds);
    if (error.fault == Fault::payload_key_algorithm)
        return wrong_use(name_of_algorithm);
    if (error.fault == Fault::payload_unsigned && !judge.public_key.empty())
        return std::format("{}: payload is not signed; it is to be by {}, key {}", name,
                           shown_name(judge.public_key), hex(wishes.enrolment.keys[0].hash));
    return failure(name, error).text;
}

ExitCode print_refusal(const std::string& reason, bool json) {
    if (json)
        print_json("refusal/1", {{"good", false}, {"reason", reason}});
    else
        std::cout << reason << '\n';
    return ExitCode::check_failed;
}

nlohmann::ordered_json json_of_signature(Bytes file) {
    const auto parsed = signed_payload::parse(file);
    if (!parsed)
        return nullptr;
    const bool is_documents = parsed->numbering == signed_payload::Numbering::document;
    return {{"algorithm", signed_payload::name_of(parsed->algorithm)},
            {"numbering", is_documents ? "document" : "td-shim"},
            {"key", hex(crypto::sha384(parsed->public_key))},
            {"svn", parsed->svn},
            {"version", parsed->version}};
}

} // namespace tdshim::tools
