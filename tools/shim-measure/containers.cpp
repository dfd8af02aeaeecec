// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/containers.hpp"

#include <format>

#include "shim/formats/bundle/bundle.hpp"
#include "shim/formats/bundle/events.hpp"
#include "shim/formats/payload/uki.hpp"

namespace tdshim::tools {
namespace {

InputFile file_of(Bytes bytes, std::string origin) {
    return {measure::digest_of(bytes), std::move(origin)};
}

InputBytes copy_of(Bytes bytes, std::string origin) {
    return {{bytes.begin(), bytes.end()}, std::move(origin)};
}

std::unexpected<Failure> refused(const Container& container, const char* why) {
    return std::unexpected(
        failure(container.name, std::format("is a {} {}: the boot is refused",
                                            payload::name_of(container.kind), why)));
}

Outcome<bool> open_uki(const Container& container, BootInputs& inputs) {
    const auto parts = TRY(of_file(container.name, payload::parse_uki(container.bytes)));
    const bool has_line = !inputs.command_line->bytes.empty();
    if (container.signer && (!inputs.initrds.empty() || has_line))
        return refused(container, "that is signed, which takes no input beside its own");
    if ((!inputs.initrds.empty() && !parts.initrd.empty()) ||
        (has_line && !parts.command_line.empty()))
        return refused(container, "with an initrd or a command line of its own");
    const auto origin = [&](const char* section) {
        return std::format("section {} of {}", section, container.origin);
    };
    inputs.kernel = file_of(parts.kernel, origin(".linux"));
    if (!parts.os_release.empty())
        inputs.os_release = file_of(parts.os_release, origin(".osrel"));
    if (!parts.initrd.empty())
        inputs.initrds = {file_of(parts.initrd, origin(".initrd"))};
    if (!parts.command_line.empty())
        inputs.command_line = copy_of(parts.command_line, origin(".cmdline"));
    return !parts.command_line.empty();
}

/// The events of the bundle, as the firmware makes them.
Outcome<std::vector<BundleInputs::Event>> events_of(const Container& container, Bytes text) {
    const auto file = TRY(of_file("events of " + container.name,
                                  bundle::EventsFile::parse(text, container.signer.has_value())));
    bundle::EventsReader reader(file, container.signer ? &*container.signer : nullptr);
    std::vector<BundleInputs::Event> events;
    bundle::Event event;
    while (TRY(of_file(container.name, reader.next(event))))
        events.push_back(
            {event.rtmr, event.type,
             copy_of(event.data.view(),
                     std::format("event {} of {}", events.size() + 1, container.origin))});
    return events;
}

/// The bundle's own command line, and behind it that of the VMM.
InputBytes joined(InputBytes own, const InputBytes& supplied) {
    if (supplied.bytes.empty())
        return own;
    if (own.bytes.empty())
        return supplied;
    own.bytes.push_back(std::byte{' '});
    own.bytes.append_range(supplied.bytes);
    own.origin += ", and " + supplied.origin;
    return own;
}

Outcome<bool> open_bundle(const Container& container, BootInputs& inputs) {
    const auto parts = TRY(of_file(container.name, bundle::parse(container.bytes)));
    if (!inputs.initrds.empty() && !parts.manifest.appends_initrd)
        return refused(container, "that takes no initrd beside its own");
    if (!inputs.command_line->bytes.empty() && !parts.manifest.appends_command_line)
        return refused(container, "that takes no command line beside its own");
    const auto kind = TRY(of_file(container.name, payload::kind_of(parts.kernel)));
    if (kind != payload::Kind::bzimage && kind != payload::Kind::vmlinux)
        return refused(container, "whose kernel is no bzImage or vmlinux");
    const auto origin = [&](const char* member) {
        return std::format("{} of {}", member, container.origin);
    };
    inputs.kernel = file_of(parts.kernel, origin("kernel"));
    inputs.bundle = BundleInputs{.manifest = copy_of(parts.manifest_file, origin("manifest")),
                                 .events = TRY(events_of(container, parts.events))};
    if (!parts.initrd.empty())
        inputs.initrds.insert(inputs.initrds.begin(), file_of(parts.initrd, origin("initrd")));
    inputs.command_line =
        joined(copy_of(parts.command_line, origin("command line")), *inputs.command_line);
    return !parts.command_line.empty();
}

} // namespace

bool is_container(payload::Kind kind) {
    return kind == payload::Kind::uki || kind == payload::Kind::bundle;
}

Outcome<bool> open_container(const Container& container, BootInputs& inputs) {
    return container.kind == payload::Kind::uki ? open_uki(container, inputs)
                                                : open_bundle(container, inputs);
}

} // namespace tdshim::tools
