// SPDX-License-Identifier: Apache-2.0
#include "tools/shim-measure/inputs.hpp"

#include <algorithm>
#include <format>

#include "shim/formats/hob/hob.hpp"
#include "shim/formats/smbios/tables.hpp"
#include "shim/formats/tdvf/aml_policy.hpp"
#include "shim/formats/tdvf/footer.hpp"
#include "tools/common/files.hpp"
#include "tools/common/look.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-measure/acpi_tables.hpp"
#include "tools/shim-measure/payload_inputs.hpp"
#include "tools/shim-measure/secure_boot.hpp"
#include "tools/vmm/brought.hpp"
#include "tools/vmm/td_hob.hpp"

namespace tdshim::tools {
namespace {

std::string size_text(std::uint64_t bytes) {
    return bytes % GiB == 0 ? std::format("{} GiB", bytes / GiB)
                            : std::format("{} MiB", bytes / MiB);
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

/// Whether it brings the boot a file or a wish of the firmware's: by an item, a word of QEMU's, a
/// property of the machine that such a word stands for, or a file of words that is not looked at.
bool brings_an_input(std::string_view argument) {
    constexpr std::array words{"-kernel", "-initrd", "-append", "-readconfig"};
    constexpr std::array items{"opt/org.tdshim/", "etc/boot/kernel"};
    constexpr std::array properties{",kernel=", ",initrd=", ",append="};
    const std::string_view word = argument.starts_with("--") ? argument.substr(1) : argument;
    const std::string members = "," + std::string(argument);
    return std::ranges::contains(words, word) ||
           std::ranges::any_of(items, [&](const char* item) { return argument.contains(item); }) ||
           std::ranges::any_of(properties, [&](const char* one) { return members.contains(one); });
}

/// Such an argument would be in the boot and not in its prediction.
Outcome<> check_qemu_arguments(const Options& options) {
    constexpr const char* what_to_do = "brings the boot an input: give it by --kernel, --initrd, "
                                       "--append, --accept-all or --smbios";
    if (brings_an_input(options.machine))
        return std::unexpected(
            failure(std::format("--machine {}", printable(options.machine)), what_to_do));
    const auto found = std::ranges::find_if(options.qemu_arguments, brings_an_input);
    if (found == options.qemu_arguments.end())
        return {};
    return std::unexpected(
        failure(std::format("argument {} behind --", printable(*found)), what_to_do));
}

Outcome<std::string> command_line_text(const Options& options) {
    if (options.append_file.empty())
        return options.append.value_or("");
    const auto bytes = TRY(read_file(options.append_file));
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

/// What the VMM of a TD brings. Where nobody is known to, that is nothing.
Outcome<vmm::Brought> brought(const Options& options, const Image& image) {
    const bool is_filled = vmm::is_filled_by_vmm(image.metadata);
    if (options.is_plain_vm || (options.vmm == Vmm::none && !is_filled))
        return vmm::Brought{};
    vmm::Launch launch{.image_file = image.file,
                       .image = image.bytes,
                       .metadata = &image.metadata,
                       .ram = vmm::ram_of(vmm::Kind::qemu, options.memory),
                       .files = {},
                       .payload_form = options.payload_form,
                       .config_files = [&]() -> Outcome<vmm::ConfigFiles> {
                           if (!options.hob.empty() || !options.knows_rtmr0())
                               return vmm::ConfigFiles{}; // they are not asked for
                           return config_files(options);
                       }};
    if (is_filled) {
        if (!options.kernel.empty())
            launch.files.kernel = TRY(read_file(options.kernel));
        if (!options.initrd.empty())
            launch.files.initrd = TRY(read_file(options.initrd));
        launch.files.command_line = TRY(command_line_text(options));
        launch.files.raw_entry = options.payload_entry;
    }
    return vmm::bring(launch);
}

Outcome<std::optional<InputBytes>> td_hob(const Options& options, const Image& image,
                                          const vmm::Brought& brought) {
    if (image.metadata.find(tdvf::SectionType::td_hob) == nullptr)
        return std::nullopt;
    if (!options.hob.empty()) {
        auto bytes = TRY(read_file(options.hob));
        bytes.resize(TRY(of_file(options.hob, hob::list_size(bytes))));
        return InputBytes{std::move(bytes), "TD HOB " + options.hob};
    }
    const char* const maker =
        vmm::is_filled_by_vmm(image.metadata) ? "a VMM that places the payload" : "QEMU";
    return InputBytes{brought.hob, std::format("TD HOB as {} writes it for {}", maker,
                                               size_text(options.memory))};
}

std::string shape_of(const Options& options) {
    return std::format("{} with {} and {} vCPU{}", options.machine, size_text(options.memory),
                       options.cpus, options.cpus == 1 ? "" : "s");
}

/// SMBIOS tables as the firmware takes them, or refuses to.
Outcome<InputBytes> smbios_of(const vmm::ConfigFiles& files, const std::string& origin) {
    if (!files.smbios)
        return std::unexpected(failure(origin, "offers no SMBIOS tables"));
    const auto& [name, content] = *files.smbios;
    TRY(of_file(origin + ": " + name, smbios::check_size(content.size())));
    TRY(of_file(origin + ": " + name, smbios::check_tables(content)));
    return InputBytes{content, "SMBIOS tables of " + origin};
}

/// ACPI files, SMBIOS tables if they are passed on and, of a plain VM, the memory map, where the
/// firmware asks for them by fw_cfg.
Outcome<> add_config_files(const Options& options, const Image& image, BootInputs& inputs) {
    const bool has_static_acpi = (inputs.image_options & tdvf::option_static_acpi) != 0;
    const bool needs_vmm = !has_static_acpi || options.is_plain_vm || options.passes_smbios;
    const vmm::ConfigFiles files = needs_vmm ? TRY(config_files(options)) : vmm::ConfigFiles{};
    if (!options.save_acpi.empty())
        TRY(vmm::write_config_files(files, options.save_acpi));
    const std::string origin =
        options.acpi.empty() ? options.qemu + ", " + shape_of(options) : options.acpi;
    inputs.acpi = files.acpi;
    inputs.acpi_origin = "ACPI file of " + origin;
    if (!has_static_acpi && !inputs.acpi.empty()) {
        const auto tables = TRY(tables_of_files(inputs.acpi, {.is_td = !options.is_plain_vm,
                                                              .image_options = inputs.image_options,
                                                              .origin = inputs.acpi_origin}));
        TRY(check_aml(image, tables));
        TRY(of_file(inputs.acpi_origin, check_tables(tables, !options.is_plain_vm)));
        if (inputs.contents && !inputs.contents->is_linux)
            TRY(check_room_in_hob(tables, inputs.acpi_origin));
    }
    if (options.passes_smbios)
        inputs.smbios = TRY(smbios_of(files, origin));
    if (options.is_plain_vm)
        inputs.memory_map = InputBytes{files.e820, "memory map of " + origin};
    return {};
}

/// An image that a VMM fills asks it for nothing later.
Outcome<> check_wishes(const Options& options, const Image& image) {
    for (const auto& [is_given, option] : {std::pair{options.accepts_all_memory, "--accept-all"},
                                           std::pair{options.passes_smbios, "--smbios"}})
        if (is_given && !options.is_plain_vm && vmm::is_filled_by_vmm(image.metadata))
            return std::unexpected(failure(
                option, image.file + " takes nothing by fw_cfg, where the firmware would look"));
    return {};
}

/// What lands in RTMR[0].
Outcome<> add_configuration(const Options& options, const Image& image, const vmm::Brought& brought,
                            BootInputs& inputs) {
    inputs.accepts_all_memory = options.accepts_all_memory;
    inputs.uses_fw_cfg = !options.is_plain_vm && !vmm::is_filled_by_vmm(image.metadata);
    if (!options.is_plain_vm)
        inputs.td_hob = TRY(td_hob(options, image, brought));
    if (inputs.td_hob)
        TRY(list_of_hob(*inputs.td_hob, image));
    if (options.is_plain_vm || !vmm::is_filled_by_vmm(image.metadata))
        return add_config_files(options, image, inputs);
    const bool is_portable = (inputs.image_options & tdvf::option_portable) != 0;
    const bool has_static_acpi = (inputs.image_options & tdvf::option_static_acpi) != 0;
    if (!inputs.td_hob || has_static_acpi)
        return {};
    auto tables = TRY(tables_of_hob(*inputs.td_hob, image));
    TRY(check_aml(image, tables));
    TRY(of_file(inputs.td_hob->origin, check_tables(tables, true)));
    if (inputs.contents && !inputs.contents->is_linux)
        TRY(check_room_in_hob(tables, inputs.td_hob->origin));
    if (is_portable) {
        inputs.acpi = std::move(tables);
        inputs.acpi_origin = "ACPI table in the " + inputs.td_hob->origin;
    }
    return {};
}

} // namespace

Outcome<Image> read_image(const std::string& file) {
    Image image{
        .file = file, .bytes = TRY(read_file(file)), .metadata = {}, .info = {}, .igvm = {}};
    if (igvm::has_magic(image.bytes)) {
        image.igvm = TRY(of_file(file, igvm::parse(image.bytes)));
        return image;
    }
    image.metadata = TRY(of_file(file, image.bytes, tdvf::parse_metadata(image.bytes)));
    // An image that only the pointer at end - 0x20 describes has no table to look into.
    if (image.metadata.found_by_footer)
        image.info = TRY(of_file(file, tdvf::find_image_info(image.bytes)));
    return image;
}

Outcome<Options> options_for_igvm(Options options) {
    const bool asks_for_a_boot =
        !options.kernel.empty() || !options.initrd.empty() || options.append ||
        !options.append_file.empty() || !options.hob.empty() || !options.acpi.empty() ||
        !options.save_acpi.empty() || options.accepts_all_memory || options.passes_smbios ||
        options.is_plain_vm || options.payload_entry || !options.qemu_arguments.empty();
    if (asks_for_a_boot)
        return std::unexpected(failure(
            options.image, "is an IGVM file, of which MRTD is computed and no boot is predicted"));
    if (options.load_order != tdx_model::LoadOrder::page_by_page)
        return std::unexpected(
            failure(options.image, "is an IGVM file, which says itself in what order to load"));
    options.vmm = Vmm::none;
    return options;
}

Outcome<Gathered> gather_inputs(const Options& options, const Image& image) {
    const bool is_filled = vmm::is_filled_by_vmm(image.metadata);
    if (options.vmm == Vmm::tdvf_payload && !is_filled)
        return std::unexpected(
            failure(image.file, "has no Payload section for such a VMM to fill"));
    if (options.vmm == Vmm::qemu && is_filled && !options.is_plain_vm)
        return std::unexpected(failure(
            image.file, "has sections that QEMU refuses (shim-check --vmm qemu says which)"));
    TRY(check_qemu_arguments(options));
    TRY(check_wishes(options, image));
    vmm::Brought made = TRY(brought(options, image));
    BootInputs inputs;
    inputs.image_options = image.info ? std::uint32_t{image.info->options} : 0;
    TRY(add_payload(options, image, made.placement, inputs));
    if (options.knows_rtmr0())
        TRY(add_configuration(options, image, made, inputs));
    return Gathered{std::move(inputs), std::move(made.placement)};
}

} // namespace tdshim::tools
