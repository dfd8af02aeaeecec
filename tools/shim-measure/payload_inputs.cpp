// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/payload_inputs.hpp"

#include <format>

#include "shim/formats/payload/kind.hpp"
#include "tools/common/file_digest.hpp"
#include "tools/common/files.hpp"
#include "tools/shim-measure/containers.hpp"
#include "tools/shim-measure/secure_boot.hpp"
#include "tools/vmm/brought.hpp"

namespace tdshim::tools {
namespace {

using payload::Kind;
using tdvf::SectionType;

/// The payload file, and where it comes from in words.
struct File {
    std::vector<std::byte> bytes;
    std::string origin;
    std::string name; ///< for messages
};

/// The payload that shim-ld put into the image, which the firmware takes before any other.
Outcome<std::optional<File>> embedded_file(const Image& image) {
    const auto& info = image.info;
    if (!info || info->payload_size == 0)
        return std::nullopt;
    if (info->payload_from_end > image.bytes.size())
        return std::unexpected(failure(image.file, "is smaller than it says of itself"));
    const std::uint64_t offset = image.bytes.size() - info->payload_from_end;
    const Bytes payload = Bytes(image.bytes).subspan(offset, info->payload_size);
    return File{{payload.begin(), payload.end()},
                std::format("payload embedded in {} at offset {:#x}", image.file, offset),
                image.file};
}

/// None only where no VMM is known, for somebody who asks about an image alone.
Outcome<std::optional<File>> payload_file(const Options& options, const Image& image) {
    auto embedded = TRY(embedded_file(image));
    if (embedded && !options.kernel.empty())
        return std::unexpected(failure(
            image.file, "holds a payload of its own, so that --kernel would not be started"));
    if (embedded)
        return embedded;
    if (options.kernel.empty() && options.vmm == Vmm::none)
        return std::nullopt;
    if (options.kernel.empty())
        return std::unexpected(failure(image.file, "holds no payload: --kernel is needed"));
    return File{TRY(read_file(options.kernel)), "kernel " + options.kernel, options.kernel};
}

Outcome<Kind> kind_of_contents(const File& file) {
    const Bytes contents = TRY(of_file(file.name, signed_payload::contents_of(file.bytes)));
    return of_file(file.name, payload::kind_of(contents));
}

InputFile input_of(Bytes bytes, std::string origin) {
    return {measure::digest_of(bytes), std::move(origin)};
}

/// A file's line ends with the file, not with the line: what is measured is every byte of it.
Outcome<InputBytes> command_line(const Options& options) {
    if (!options.append_file.empty())
        return InputBytes{TRY(read_file(options.append_file)),
                          "command line " + options.append_file};
    if (!options.append)
        return InputBytes{{}, "no command line"};
    const Bytes text = bytes_of(std::string_view(*options.append));
    return InputBytes{{text.begin(), text.end()}, "command line of --append"};
}

/// A section as it is in memory: what the VMM put there, and zeros behind it.
std::vector<std::byte> region(const tdvf::Section& section, const vmm::Placement& placement) {
    const Bytes content = placement.content_of(section.type);
    std::vector<std::byte> bytes(content.begin(), content.end());
    bytes.resize(section.memory.size());
    return bytes;
}

void measure_payload_region(const Image& image, const vmm::Placement& placement,
                            BootInputs& inputs) {
    if (const auto* const payload = image.metadata.find(SectionType::payload))
        inputs.kernel = input_of(region(*payload, placement), inputs.kernel->origin + ", padded");
}

/// td-shim's way: digests of whole sections, but of what a container brings, and none of a payload
/// that is in MRTD.
void measure_regions(const Image& image, const vmm::Placement& placement, bool is_one_file,
                     bool brings_command_line, BootInputs& inputs) {
    if (is_one_file)
        measure_payload_region(image, placement, inputs);
    const auto* const payload = image.metadata.find(SectionType::payload);
    if (payload != nullptr && (payload->attributes & tdvf::attribute_mr_extend) != 0)
        inputs.kernel.reset();
    const tdvf::Section* const parameter = image.metadata.find(SectionType::payload_param);
    if (parameter != nullptr && inputs.command_line && !brings_command_line)
        inputs.command_line =
            InputBytes{region(*parameter, placement), inputs.command_line->origin + ", padded"};
}

} // namespace

Outcome<> add_payload(const Options& options, const Image& image, const vmm::Placement& placement,
                      BootInputs& inputs) {
    if (!options.initrd.empty())
        inputs.initrds = {
            InputFile{TRY(digest_of_file(options.initrd)), "initrd " + options.initrd}};
    inputs.command_line = TRY(command_line(options));
    const cfv::Enrolment enrolment = TRY(add_enrolment(image, inputs));
    const auto file = TRY(payload_file(options, image));
    if (!file)
        return {};
    const Kind kind = options.payload_entry ? Kind::raw_vmlinux : TRY(kind_of_contents(*file));
    const auto admitted = TRY(admit(enrolment, file->bytes, kind, file->name, inputs));
    const bool is_signed = admitted.contents.size() != file->bytes.size();
    const std::string origin = (is_signed ? "contents of " : "") + file->origin;
    inputs.knows_payload = true;
    inputs.kernel = input_of(admitted.contents, origin);
    std::optional<crypto::Digest> signer;
    if (admitted.authority)
        signer = admitted.authority->key;
    bool brings_command_line = false;
    if (is_container(kind))
        brings_command_line = TRY(open_container({.kind = kind,
                                                  .bytes = admitted.contents,
                                                  .origin = origin,
                                                  .name = file->name,
                                                  .signer = signer},
                                                 inputs));
    if (kind == Kind::raw_vmlinux)
        measure_payload_region(image, placement, inputs);
    if ((inputs.image_options & tdvf::option_region_digests) != 0)
        measure_regions(image, placement, !is_container(kind), brings_command_line, inputs);
    if (kind == Kind::elf || kind == Kind::pe) { // they get neither
        inputs.initrds.clear();
        inputs.command_line.reset();
    }
    return {};
}

} // namespace tdshim::tools
