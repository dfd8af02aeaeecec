// SPDX-License-Identifier: Apache-2.0
#include "shim/plan/payload_files.hpp"

#include "shim/formats/bundle/bundle.hpp"
#include "shim/formats/bundle/events.hpp"
#include "shim/formats/linux/setup_header.hpp"
#include "shim/formats/payload/uki.hpp"
#include "shim/formats/signed_payload/signed_payload.hpp"

namespace tdshim::plan {
namespace {

using payload::Kind;

/// Nothing goes beside a signed one: it has no word for a signer's wish that something should.
Result<PayloadFiles> files_of_uki(const Payload& payload) {
    const payload::UnifiedKernelImage image = TRY(payload::parse_uki(payload.contents));
    if (!linux_boot::looks_like_kernel(image.kernel))
        return refuse(Fault::uki_nested);
    const Beside beside = payload.signer ? Beside::refused : Beside::instead;
    return PayloadFiles{.is_container = true,
                        .kind = Kind::bzimage,
                        .program = image.kernel,
                        .initrd = {image.initrd, beside},
                        .command_line = {image.command_line, beside},
                        .os_release = image.os_release};
}

/// How many events there are for RTMR[2] and for RTMR[3].
Result<std::array<std::uint64_t, 2>> count_events(Bytes text, const Payload& payload) {
    const auto file = TRY(bundle::EventsFile::parse(text, payload.signer.has_value()));
    bundle::EventsReader reader(file, payload.signer ? &*payload.signer : nullptr);
    std::array<std::uint64_t, 2> counts{};
    bundle::Event event;
    while (TRY(reader.next(event)))
        ++counts[event.rtmr == 2 ? 0 : 1];
    return counts;
}

Result<PayloadFiles> files_of_bundle(const Payload& payload) {
    const bundle::Bundle parsed = TRY(bundle::parse(payload.contents));
    const auto counts = TRY(count_events(parsed.events, payload));
    const Kind kind = TRY(payload::kind_of(parsed.kernel));
    if (kind != Kind::bzimage && kind != Kind::vmlinux)
        return refuse(Fault::bundle_kernel);
    const auto beside = [](bool appends) { return appends ? Beside::appended : Beside::refused; };
    const bundle::Manifest& manifest = parsed.manifest;
    return PayloadFiles{
        .is_container = true,
        .kind = kind,
        .program = parsed.kernel,
        .initrd = {parsed.initrd, beside(manifest.appends_initrd)},
        .command_line = {parsed.command_line, beside(manifest.appends_command_line)},
        .manifest = parsed.manifest_file,
        .events = parsed.events,
        .event_counts = counts};
}

} // namespace

bool PayloadFiles::is_linux() const {
    return kind != Kind::elf && kind != Kind::pe;
}

Result<Kind> kind_of_file(Bytes file) {
    const Bytes contents = TRY(signed_payload::contents_of(file));
    return payload::kind_of(contents);
}

Result<PayloadFiles> files_of(const Payload& payload) {
    if (payload.kind == Kind::uki)
        return files_of_uki(payload);
    if (payload.kind == Kind::bundle)
        return files_of_bundle(payload);
    return PayloadFiles{.kind = payload.kind, .program = payload.contents};
}

Result<void> check_beside(const Own& own, bool is_supplied) {
    if (!is_supplied || own.beside == Beside::appended)
        return {};
    if (own.beside == Beside::refused)
        return refuse(Fault::payload_sealed);
    return own.bytes.empty() ? Result<void>{} : refuse(Fault::uki_supplied_twice);
}

measure::Contents contents_of(const Payload& payload, const PayloadFiles& files, bool has_initrd) {
    measure::Contents contents{.has_svn = payload.signer.has_value(),
                               .kind = files.kind,
                               .entry = payload.raw_entry,
                               .is_container = files.is_container,
                               .has_os_release = !files.os_release.empty(),
                               .has_manifest = !files.manifest.empty(),
                               .is_linux = files.is_linux(),
                               .bundle_events = files.event_counts};
    if (files.is_linux())
        contents.initrds = (files.initrd.bytes.empty() ? 0 : 1) + (has_initrd ? 1 : 0);
    return contents;
}

} // namespace tdshim::plan
