// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/inputs.hpp"

#include <algorithm>
#include <format>

#include "shim/formats/hob/hob.hpp"
#include "shim/formats/tdvf/footer.hpp"
#include "tools/common/file_digest.hpp"
#include "tools/common/files.hpp"
#include "tools/vmm/td_hob.hpp"

namespace tdshim::tools {
namespace {

std::string size_text(std::uint64_t bytes) {
    return bytes % GiB == 0 ? std::format("{} GiB", bytes / GiB)
                            : std::format("{} MiB", bytes / MiB);
}

/// The kernel that shim-ld put into the image, which the firmware takes before any other.
Outcome<std::optional<InputFile>> embedded_kernel(const Image& image) {
    const auto& info = image.info;
    if (!info || info->payload_size == 0)
        return std::nullopt;
    if (info->payload_from_end > image.bytes.size())
        return std::unexpected(failure(image.file, "is smaller than it says of itself"));
    const std::uint64_t offset = image.bytes.size() - info->payload_from_end;
    const Bytes payload = Bytes(image.bytes).subspan(offset, info->payload_size);
    return InputFile{measure::digest_of(payload),
                     std::format("kernel embedded in {} at offset {:#x}", image.file, offset)};
}

/// None only where no VMM is known, for somebody who asks about an image alone.
Outcome<std::optional<InputFile>> kernel(const Options& options, const Image& image) {
    const auto embedded = TRY(embedded_kernel(image));
    if (embedded && !options.kernel.empty())
        return std::unexpected(failure(
            image.file, "holds a kernel of its own, so that --kernel would not be started"));
    if (embedded)
        return embedded;
    if (options.kernel.empty() && options.vmm == Vmm::none)
        return std::nullopt;
    if (options.kernel.empty())
        return std::unexpected(failure(image.file, "holds no kernel: --kernel is needed"));
    return InputFile{TRY(digest_of_file(options.kernel)), "kernel " + options.kernel};
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

Outcome<InputBytes> td_hob(const Options& options, const Image& image) {
    if (!options.hob.empty()) {
        auto bytes = TRY(read_file(options.hob));
        bytes.resize(TRY(of_file(options.hob, hob::list_size(bytes))));
        return InputBytes{std::move(bytes), "TD HOB " + options.hob};
    }
    const tdvf::Section* const section = image.metadata.find(tdvf::SectionType::td_hob);
    if (section == nullptr)
        return std::unexpected(failure(image.file, "has no TD_HOB section"));
    return InputBytes{
        TRY(of_file(image.file,
                    vmm::td_hob(vmm::Kind::qemu, vmm::ram_of(vmm::Kind::qemu, options.memory),
                                image.metadata, section->memory))),
        "TD HOB as QEMU writes it for " + size_text(options.memory)};
}

Outcome<vmm::ConfigFiles> config_files(const Options& options) {
    if (!options.acpi.empty())
        return vmm::config_files_of_folder(options.acpi);
    return vmm::config_files_of_qemu({.qemu = options.qemu,
                                      .machine = options.machine,
                                      .memory = options.memory,
                                      .cpus = options.cpus,
                                      .is_td = !options.is_plain_vm,
                                      .more = options.qemu_arguments});
}

/// What lands in RTMR[0].
Outcome<> add_configuration(const Options& options, const Image& image, BootInputs& inputs) {
    const std::string shape =
        std::format("{} with {} and {} vCPU{}", options.machine, size_text(options.memory),
                    options.cpus, options.cpus == 1 ? "" : "s");
    const bool has_static_acpi = (inputs.image_options & tdvf::option_static_acpi) != 0;
    const bool needs_vmm = !has_static_acpi || options.is_plain_vm;
    const vmm::ConfigFiles files = needs_vmm ? TRY(config_files(options)) : vmm::ConfigFiles{};
    if (!options.save_acpi.empty())
        TRY(vmm::write_config_files(files, options.save_acpi));
    const std::string origin = options.acpi.empty() ? options.qemu + ", " + shape : options.acpi;
    inputs.acpi = files.acpi;
    inputs.acpi_origin = "ACPI file of " + origin;
    if (options.is_plain_vm)
        inputs.memory_map = InputBytes{files.e820, "memory map of " + origin};
    else
        inputs.td_hob = TRY(td_hob(options, image));
    inputs.accepts_all_memory = options.accepts_all_memory;
    return {};
}

} // namespace

Outcome<Image> read_image(const std::string& file) {
    Image image{.file = file, .bytes = TRY(read_file(file)), .metadata = {}, .info = {}};
    image.metadata = TRY(of_file(file, tdvf::parse_metadata(image.bytes)));
    // An image that only the pointer at end - 0x20 describes has no table to look into.
    if (image.metadata.found_by_footer)
        image.info = TRY(of_file(file, tdvf::find_image_info(image.bytes)));
    return image;
}

Outcome<BootInputs> gather_inputs(const Options& options, const Image& image) {
    BootInputs inputs;
    inputs.image_options = image.info ? std::uint32_t{image.info->options} : 0;
    inputs.kernel = TRY(kernel(options, image));
    if (!options.initrd.empty())
        inputs.initrd = InputFile{TRY(digest_of_file(options.initrd)), "initrd " + options.initrd};
    inputs.command_line = TRY(command_line(options));
    if (options.knows_rtmr0())
        TRY(add_configuration(options, image, inputs));
    return inputs;
}

} // namespace tdshim::tools
