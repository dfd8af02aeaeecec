// SPDX-License-Identifier: Apache-2.0
#include "shim/boot/linux_files.hpp"

#include "shim/formats/bundle/bundle.hpp"
#include "shim/formats/bundle/events.hpp"
#include "shim/formats/linux/setup_header.hpp"
#include "shim/formats/payload/uki.hpp"

namespace tdshim::boot {
namespace {

using payload::Kind;

Own own(const PayloadFile& file, Bytes bytes, Beside beside) {
    return {.bytes = bytes, .source = payload::name_of(file.kind), .beside = beside};
}

/// Nothing goes beside a signed one: it has no word for a signer's wish that something should.
Result<LinuxFiles> files_of_uki(const PayloadFile& file) {
    const payload::UnifiedKernelImage image = TRY(payload::parse_uki(file.bytes));
    if (!linux_boot::looks_like_kernel(image.kernel))
        return refuse(Fault::uki_nested);
    const Beside beside = file.signer ? Beside::refused : Beside::instead;
    return LinuxFiles{.kind = Kind::bzimage,
                      .kernel = image.kernel,
                      .initrd = own(file, image.initrd, beside),
                      .command_line = own(file, image.command_line, beside),
                      .os_release = image.os_release};
}

Result<LinuxFiles> files_of_bundle(const PayloadFile& file) {
    const bundle::Bundle parsed = TRY(bundle::parse(file.bytes));
    TRY(bundle::EventsFile::parse(parsed.events, file.signer.has_value()));
    const Kind kind = TRY(payload::kind_of(parsed.kernel));
    if (kind != Kind::bzimage && kind != Kind::vmlinux)
        return refuse(Fault::bundle_kernel);
    const auto beside = [](bool appends) { return appends ? Beside::appended : Beside::refused; };
    const bundle::Manifest& manifest = parsed.manifest;
    return LinuxFiles{.kind = kind,
                      .kernel = parsed.kernel,
                      .initrd = own(file, parsed.initrd, beside(manifest.appends_initrd)),
                      .command_line =
                          own(file, parsed.command_line, beside(manifest.appends_command_line)),
                      .manifest = parsed.manifest_file,
                      .events = parsed.events};
}

} // namespace

Result<LinuxFiles> files_of(const PayloadFile& file) {
    if (file.kind == Kind::uki)
        return files_of_uki(file);
    if (file.kind == Kind::bundle)
        return files_of_bundle(file);
    return LinuxFiles{.kind = file.kind, .kernel = file.bytes};
}

} // namespace tdshim::boot
