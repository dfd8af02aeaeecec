// SPDX-License-Identifier: Apache-2.0
#include <format>
#include <iostream>

#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/progress.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-bundle/commands.hpp"
#include "tools/shim-bundle/parts.hpp"

namespace tdshim::tools {
namespace {

/// Who signed it, on a line and the next; nothing here checks that.
std::string text_of_signature(Bytes file) {
    const auto parsed = signed_payload::parse(file);
    if (!parsed)
        return "not signed";
    return std::format("{}, SVN {}, version {}\n  key           {}",
                       signed_payload::name_of(parsed->algorithm), parsed->svn, parsed->version,
                       hex(Bytes(crypto::sha384(parsed->public_key))));
}

nlohmann::ordered_json json_of(const std::string& name, Bytes file, const Parts& parts,
                               bool is_judged) {
    const Progress progress(name, "hashing", file.size());
    nlohmann::ordered_json object = json_of(parts);
    if (is_judged)
        object["good"] = true;
    object["signed"] = json_of_signature(file);
    return object;
}

std::string text_of(const std::string& name, Bytes file, const Parts& parts, bool is_judged) {
    const Progress progress(name, "hashing", file.size());
    return std::format("{}: {}{}, {} bytes, {}\n{}", name, is_judged ? "good, " : "",
                       payload::name_of(parts.kind), file.size(), text_of_signature(file),
                       text_of(parts));
}

void show(const std::string& name, Bytes file, const Parts& parts, bool json, bool is_judged) {
    if (json)
        print_json(is_judged ? "shim-bundle-verify/1" : "shim-bundle-list/1",
                   json_of(name, file, parts, is_judged));
    else
        std::cout << text_of(name, file, parts, is_judged);
}

} // namespace

Outcome<ExitCode> list(const std::string& name, bool json) {
    const auto file = TRY(read_file(name));
    SignerOfEvents signer{.is_there = true, .key = std::nullopt};
    if (const auto parsed = signed_payload::parse(file))
        signer.key = crypto::sha384(parsed->public_key);
    const Parts parts = TRY(parts_of(name, file, signer));
    show(name, file, parts, json, false);
    return ExitCode::good;
}

Outcome<ExitCode> verify_bundle(const VerifyOptions& options) {
    const Wishes wishes = TRY(wishes_of(options.judge));
    const auto file = TRY(read_file(options.file));
    const auto payload = decide(wishes, options.file, file, verify::PayloadKind::linux_bundle);
    if (!payload)
        return print_refusal(reason_of(wishes, options.judge, options.file, file, payload.error()),
                             options.json);
    SignerOfEvents signer;
    if (payload->authority)
        signer = {.is_there = true, .key = payload->authority->key};
    const auto parts = parts_of(options.file, file, signer);
    if (!parts)
        return print_refusal(parts.error().text, options.json);
    show(options.file, file, *parts, options.json, true);
    return ExitCode::good;
}

} // namespace tdshim::tools
