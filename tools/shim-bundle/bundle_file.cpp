// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <format>

#include "shim/formats/bundle/builder.hpp"
#include "shim/formats/bundle/bundle.hpp"
#include "shim/formats/bundle/events.hpp"
#include "shim/formats/payload/kind.hpp"
#include "shim/formats/signed_payload/signed_payload.hpp"
#include "tools/common/files.hpp"
#include "tools/common/look.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-bundle/bundle_file.hpp"

namespace tdshim::tools {
namespace {

using payload::Kind;

/// What goes in; all but the kernel may be empty.
struct Files {
    std::vector<std::byte> kernel;
    std::vector<std::byte> initrd;
    std::vector<std::byte> command_line;
    std::vector<std::byte> events;
};

Outcome<> check_kernel(const std::string& name, Bytes file) {
    if (signed_payload::is_signed(file))
        return std::unexpected(
            failure(name, "is signed: give the kernel itself, and sign the bundle"));
    const Kind kind = TRY(of_file(name, file, payload::kind_of(file)));
    if (kind != Kind::bzimage && kind != Kind::vmlinux)
        return std::unexpected(failure(
            name, std::format("expected a bzImage or vmlinux, found: {}", payload::name_of(kind))));
    return {};
}

/// Of an input that is there.
Outcome<> check_size(const std::string& name, Bytes contents, bundle::Member member) {
    const std::size_t most = bundle::max_sizes[member];
    if (contents.empty() || contents.size() > most)
        return std::unexpected(failure(name, Error{Fault::bundle_member_size, 0,
                                                   contents.empty() ? 1 : most, contents.size()}));
    return {};
}

Outcome<std::vector<std::byte>> member_file(const std::string& name, bundle::Member member) {
    if (name.empty())
        return std::vector<std::byte>{};
    auto contents = TRY(read_file(name));
    TRY(check_size(name, contents, member));
    return contents;
}

/// Refuses what Linux would pass over, and find no initrd: a payload, by mistake. An initrd is a
/// cpio archive as a Linux bundle is: only one that parses is a bundle.
Outcome<> check_initrd(const std::string& name, Bytes file) {
    const Result<Kind> kind = payload::kind_of(file);
    if (!kind || (*kind == Kind::bundle && !bundle::parse(file)))
        return {};
    return std::unexpected(
        failure(name, std::format("expected an initrd, found: {}", payload::name_of(*kind))));
}

/// None when --append says so.
Outcome<std::vector<std::byte>> command_line_of(const BundleInputs& options) {
    const std::string name = options.append_file.empty() ? "--append" : options.append_file;
    std::vector<std::byte> text =
        TRY(member_file(options.append_file, bundle::member_command_line));
    if (options.append && !options.append->empty()) {
        text.assign_range(bytes_of(*options.append));
        TRY(check_size(name, text, bundle::member_command_line));
    }
    TRY(of_file(name, bundle::check_command_line(text)));
    return text;
}

/// People count an events file in lines.
Outcome<> check_events(const std::string& file, Bytes text) {
    const auto in_line = [&](const Error& error) {
        const Bytes before = text.first(std::min<std::size_t>(error.at, text.size()));
        return failure(file,
                       std::format("line {}: {}", 1 + std::ranges::count(before, std::byte{'\n'}),
                                   sentence(error.fault)));
    };
    // Whether anybody signs it, nobody knows yet.
    TRY(bundle::EventsFile::parse(text, true).transform_error(in_line));
    return {};
}

Outcome<Files> inputs_of(const BundleInputs& options) {
    Files inputs;
    inputs.kernel = TRY(member_file(options.kernel, bundle::member_kernel));
    TRY(check_kernel(options.kernel, inputs.kernel));
    inputs.initrd = TRY(member_file(options.initrd, bundle::member_initrd));
    TRY(check_initrd(options.initrd, inputs.initrd));
    inputs.command_line = TRY(command_line_of(options));
    inputs.events = TRY(member_file(options.events, bundle::member_events));
    TRY(check_events(options.events, inputs.events));
    return inputs;
}

Outcome<std::vector<std::byte>> bundle_of_files(const BundleInputs& options, const Files& inputs) {
    const bundle::Contents contents{
        .manifest = {.appends_command_line = options.appends_command_line,
                     .appends_initrd = options.appends_initrd,
                     .title = options.title},
        .kernel = inputs.kernel,
        .initrd = inputs.initrd,
        .command_line = inputs.command_line,
        .events = inputs.events};
    // Everything else was looked at.
    const auto bad_title = [](const Error&) {
        return failure("--title", "is not 1 to 64 printable ASCII characters without a blank at "
                                  "either end");
    };
    std::vector<std::byte> file(TRY(bundle::size_of(contents).transform_error(bad_title)));
    TRY(bundle::write(file, contents).transform_error(bad_title));
    TRY(bundle::parse(file).transform_error(bad_title));
    return file;
}

} // namespace

Outcome<std::vector<std::byte>> bundle_of(const BundleInputs& options) {
    const Files files = TRY(inputs_of(options));
    return bundle_of_files(options, files);
}

} // namespace tdshim::tools
