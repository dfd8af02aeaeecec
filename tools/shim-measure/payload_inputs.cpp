// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/payload_inputs.hpp"

#include <filesystem>
#include <format>
#include <limits>

#include "shim/formats/tdvf/aml_policy.hpp"
#include "tools/common/file_digest.hpp"
#include "tools/common/files.hpp"
#include "tools/common/progress.hpp"
#include "tools/measurements/payload_decision.hpp"
#include "tools/shim-measure/secure_boot.hpp"
#include "tools/vmm/brought.hpp"

namespace tdshim::tools {
namespace {

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
                "payload in " + image.file};
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

/// Only what the VMM puts into memory has an entry that the VMM says.
Outcome<> check_entry(const Options& options, const Image& image) {
    if (!options.payload_entry || vmm::is_filled_by_vmm(image.metadata))
        return {};
    return std::unexpected(failure("--payload-entry", image.file +
                                                          " has no Payload section that the "
                                                          "VMM fills"));
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

std::optional<std::vector<std::byte>> region(const Image& image, const vmm::Placement& placement,
                                             SectionType type) {
    const tdvf::Section* const section = image.metadata.find(type);
    return section == nullptr ? std::nullopt : std::optional(region(*section, placement));
}

/// An initrd by its digest; by its bytes too where the image has them looked at.
Outcome<> add_initrd(const Options& options, const BootInputs& inputs, SuppliedPayload& supplied) {
    if (options.initrd.empty())
        return {};
    const std::string origin = "initrd " + options.initrd;
    std::error_code ignored;
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    if (const auto size = std::filesystem::file_size(options.initrd, ignored);
        !ignored && size > most)
        return std::unexpected(
            failure(options.initrd,
                    std::format("has {} bytes, and fw_cfg carries at most {}", size, most)));
    if (tdvf::aml_policy_of(inputs.image_options) == tdvf::AmlPolicy::measured) {
        supplied.initrd = InputFile{TRY(digest_of_file(options.initrd)), origin};
        return {};
    }
    supplied.initrd_bytes = TRY(read_file(options.initrd));
    supplied.initrd =
        InputFile{TRY(digest_of_contents(options.initrd, supplied.initrd_bytes)), origin};
    return {};
}

} // namespace

Outcome<> add_payload(const Options& options, const Image& image, const vmm::Placement& placement,
                      BootInputs& inputs) {
    TRY(check_entry(options, image));
    const cfv::Enrolment enrolment = TRY(add_enrolment(image, inputs));
    const auto file = TRY(payload_file(options, image));
    if (!file)
        return {};
    SuppliedPayload supplied{.file = file->bytes,
                             .stated_size = 0,
                             .origin = file->origin,
                             .name = file->name,
                             .announced = {},
                             .raw_place = {},
                             .initrd = {},
                             .initrd_bytes = {},
                             .command_line = TRY(command_line(options)),
                             .is_item = true,
                             .payload_region = {},
                             .parameter_region = {}};
    // Of a VM that is no TD nobody fills sections: it has all by fw_cfg.
    if (!options.is_plain_vm) {
        supplied.is_item = !vmm::is_filled_by_vmm(image.metadata);
        supplied.payload_region = region(image, placement, SectionType::payload);
        supplied.parameter_region = region(image, placement, SectionType::payload_param);
    }
    const auto* const section =
        options.is_plain_vm ? nullptr : image.metadata.find(SectionType::payload);
    if (section != nullptr) {
        supplied.payload_is_in_mrtd = (section->attributes & tdvf::attribute_mr_extend) != 0;
        supplied.raw_place = section->memory;
        supplied.stated_size = section->raw_size;
    }
    if (options.payload_entry)
        supplied.announced = {hob::image_type_raw_vmlinux, {*options.payload_entry}};
    TRY(add_initrd(options, inputs, supplied));
    const Progress progress(file->name, "checking", file->bytes.size());
    return decide_payload(enrolment, supplied, inputs);
}

} // namespace tdshim::tools
