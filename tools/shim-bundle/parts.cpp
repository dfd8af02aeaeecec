// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-bundle/parts.hpp"

#include <format>

#include "shim/formats/bundle/events.hpp"
#include "shim/formats/payload/uki.hpp"
#include "shim/formats/signed_payload/signed_payload.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/event_names.hpp"

namespace tdshim::tools {
namespace {

using payload::Kind;

std::string_view text_of_bytes(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void add_part(Parts& parts, std::string_view name, Bytes contents) {
    if (!contents.empty())
        parts.parts.push_back({name, contents});
}

/// `result` of a parser that looked at `part` of `file`, with its place in the file.
template <class T>
Outcome<T> of_part(const std::string& name, Bytes file, Bytes part, Result<T> result) {
    return of_file(name, std::move(result).transform_error([&](Error error) {
        error.at += static_cast<std::uint64_t>(part.data() - file.data());
        return error;
    }));
}

/// Text as in the file, with a token in place of a signer who is not known.
std::string shown(const bundle::Event& event, bool knows_signer) {
    const Bytes data = event.data.view();
    if (event.type != event_log::EventType::ipl)
        return hex(data);
    std::string text(text_of_bytes(data.first(data.size() - 1)));
    if (event.names_signer && !knows_signer) {
        const std::string stand_in(2 * crypto::sha384_size, '0');
        text.replace(text.find(stand_in), stand_in.size(), "%SIGNER%");
    }
    return text;
}

Result<std::vector<BundleEvent>> events_of(Bytes text, const SignerOfEvents& signer) {
    const auto file = TRY(bundle::EventsFile::parse(text, signer.is_there));
    const crypto::Digest key = signer.key.value_or(crypto::Digest{});
    bundle::EventsReader reader(file, signer.is_there ? &key : nullptr);
    std::vector<BundleEvent> events;
    bundle::Event event;
    while (TRY(reader.next(event))) {
        BundleEvent line{.rtmr = event.rtmr,
                         .type = event.type,
                         .text = shown(event, signer.key.has_value()),
                         .digest = std::nullopt};
        if (!event.names_signer || signer.key)
            line.digest = measure::bundle_event(event.rtmr, event.type, event.data.view()).digest;
        events.push_back(std::move(line));
    }
    return events;
}

Outcome<Parts> parts_of_bundle(const std::string& name, Bytes file, Bytes contents,
                               const SignerOfEvents& signer) {
    const auto parsed = TRY(of_part(name, file, contents, bundle::parse(contents)));
    Parts parts{.kind = Kind::bundle,
                .parts = {},
                .manifest = parsed.manifest,
                .command_line = std::string(text_of_bytes(parsed.command_line)),
                .events =
                    TRY(of_part(name, file, parsed.events, events_of(parsed.events, signer)))};
    add_part(parts, "manifest", parsed.manifest_file);
    add_part(parts, "kernel", parsed.kernel);
    add_part(parts, "initrd", parsed.initrd);
    add_part(parts, "cmdline", parsed.command_line);
    add_part(parts, "events", parsed.events);
    return parts;
}

Outcome<Parts> parts_of_uki(const std::string& name, Bytes file, Bytes contents) {
    const auto parsed = TRY(of_part(name, file, contents, payload::parse_uki(contents)));
    Parts parts{.kind = Kind::uki,
                .parts = {},
                .manifest = std::nullopt,
                .command_line = std::string(text_of_bytes(parsed.command_line)),
                .events = {}};
    add_part(parts, ".linux", parsed.kernel);
    add_part(parts, ".initrd", parsed.initrd);
    add_part(parts, ".cmdline", parsed.command_line);
    add_part(parts, ".osrel", parsed.os_release);
    return parts;
}

std::string_view fate_of(bool is_appended) {
    return is_appended ? "append" : "refuse";
}

nlohmann::ordered_json json_of(const bundle::Manifest& manifest) {
    nlohmann::ordered_json json{{"command_line", fate_of(manifest.appends_command_line)},
                                {"initrd", fate_of(manifest.appends_initrd)},
                                {"title", nullptr}};
    if (!manifest.title.empty())
        json["title"] = manifest.title;
    return json;
}

nlohmann::ordered_json json_of(const BundleEvent& event) {
    nlohmann::ordered_json json{{"register", register_key(event_log::mr_index_of_rtmr(event.rtmr))},
                                {"type", event_type_name(static_cast<std::uint32_t>(event.type))},
                                {"data", event.text},
                                {"digest", nullptr}};
    if (event.digest)
        json["digest"] = hex(Bytes(*event.digest));
    return json;
}

} // namespace

Outcome<Parts> parts_of(const std::string& name, Bytes file, const SignerOfEvents& signer) {
    const Bytes contents = TRY(of_file(name, signed_payload::contents_of(file)));
    const Kind kind = TRY(of_part(name, file, contents, payload::kind_of(contents)));
    if (kind == Kind::bundle)
        return parts_of_bundle(name, file, contents, signer);
    if (kind == Kind::uki)
        return parts_of_uki(name, file, contents);
    return std::unexpected(
        failure(name, std::format("expected a Linux bundle or unified kernel image, found: {}",
                                  payload::name_of(kind))));
}

std::string text_of(const Parts& parts) {
    std::string text;
    if (parts.manifest) {
        if (!parts.manifest->title.empty())
            text += std::format("  title         {}\n", parts.manifest->title);
        text += std::format("  of the VMM    command line {}, initrd {}\n",
                            fate_of(parts.manifest->appends_command_line),
                            fate_of(parts.manifest->appends_initrd));
    }
    for (const Part& part : parts.parts)
        text += std::format("  {:<9}{:>11}  {}\n", part.name, part.contents.size(),
                            hex(Bytes(crypto::sha384(part.contents))));
    if (!parts.command_line.empty())
        text += std::format("  command line  {}\n", printable(parts.command_line));
    for (const BundleEvent& event : parts.events)
        text += std::format("  {:<8}  {}  {}\n            {}\n",
                            register_name(event_log::mr_index_of_rtmr(event.rtmr)),
                            event_type_name(static_cast<std::uint32_t>(event.type)), event.text,
                            event.digest ? hex(Bytes(*event.digest)) : "depends on the signer");
    return text;
}

nlohmann::ordered_json json_of(const Parts& parts) {
    nlohmann::ordered_json json{{"kind", payload::name_of(parts.kind)},
                                {"manifest", nullptr},
                                {"members", nlohmann::ordered_json::array()},
                                {"command_line", nullptr},
                                {"events", nlohmann::ordered_json::array()}};
    if (parts.manifest)
        json["manifest"] = json_of(*parts.manifest);
    for (const Part& part : parts.parts)
        json["members"].push_back({{"name", part.name},
                                   {"size", part.contents.size()},
                                   {"digest", hex(Bytes(crypto::sha384(part.contents)))}});
    if (!parts.command_line.empty())
        json["command_line"] = parts.command_line;
    for (const BundleEvent& event : parts.events)
        json["events"].push_back(json_of(event));
    return json;
}

} // namespace tdshim::tools
