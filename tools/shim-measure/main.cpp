// SPDX-License-Identifier: Apache-2.0
//
// shim-measure FINAL.BIN: the measurement registers of a boot, computed from files before any
// launch.

#include <format>
#include <iostream>
#include <map>

#include "tools/common/command.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"
#include "tools/measurements/comparison.hpp"
#include "tools/shim-measure/corim.hpp"
#include "tools/shim-measure/go_tdx_guest.hpp"
#include "tools/shim-measure/output.hpp"
#include "tools/shim-measure/trustee.hpp"
#include "tools/vmm/options.hpp"

namespace tdshim::tools { namespace {

Outcome<crypto::Digest> mrtd_of(const Image& image, const Gathered& gathered,
                                tdx_model::LoadOrder order) {
    if (image.igvm)
        return of_file(image.file, tdx_model::mrtd_of(*image.igvm));
    return tdx_model::mrtd_of(image.bytes, image.metadata, order, [&](tdvf::SectionType type) {
        return gathered.placement.content_of(type);
    });
}

/// Of a policy that shim-log check lets a TD agree with which proves nothing.
void warn_of_debug(const Policy& policy) {
    if (const std::uint64_t bits = debug_bits(policy))
        std::cerr << std::format(
            "shim-measure: WARNING: --attributes has {} of the bits 7 to 0: this policy accepts a "
            "TD under debug, which proves nothing\n",
            hex(bits));
}

void print_policy(const Measured& measured) {
    const Policy policy = policy_of(measured);
    warn_of_debug(policy);
    print_json(json_of(policy));
}

std::string form_for_others(Format format, const Policy& policy) {
    if (format == Format::trustee)
        return trustee_message(policy).dump(2) + '\n';
    if (format == Format::trustee_policy)
        return trustee_policy(policy);
    if (format == Format::go_tdx_guest)
        return go_tdx_guest_config(policy);
    const std::vector<std::byte> bytes = corim(policy);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reference values as other verifiers read them, all of which read quotes.
Outcome<> print_for_others(const Measured& measured) {
    if (!measured.mrtd)
        return std::unexpected(
            failure("--plain-vm", "is no TD, and has no quote for other verifiers to read"));
    const Policy policy = policy_without_log(measured);
    warn_of_debug(policy);
    std::cout << form_for_others(measured.options.format, policy);
    return {};
}

Outcome<ExitCode> run(const Options& asked) {
    const Image image = TRY(read_image(asked.image));
    const Options options = image.igvm ? TRY(options_for_igvm(asked)) : asked;
    const Gathered gathered = TRY(gather_inputs(options, image));
    Measured measured{.options = options,
                      .image = image,
                      .prediction = predict(gathered.boot),
                      .knows_payload = gathered.boot.knows_payload,
                      .is_executable = gathered.boot.contents && !gathered.boot.contents->is_linux,
                      .td_info = {},
                      .mrtd = {}};
    TRY(check_log_room(measured.prediction));
    if (!options.is_plain_vm)
        measured.mrtd = TRY(mrtd_of(image, gathered, options.load_order));
    tdx::TdInfo info = TRY(td_info_of(options.identity));
    if (measured.mrtd && options.knows_rtmr0()) {
        info.mrtd = *measured.mrtd;
        for (std::uint32_t rtmr = 0; rtmr < measure::rtmr_count; ++rtmr)
            info.rtmr[rtmr] = measured.prediction.registers.value(rtmr);
        measured.td_info = info;
    }
    switch (options.format) {
    case Format::text: print_text(measured); break;
    case Format::json: print_json("shim-measure/1", json_of(measured)); break;
    case Format::policy: print_policy(measured); break;
    case Format::trustee:
    case Format::trustee_policy:
    case Format::go_tdx_guest:
    case Format::corim: TRY(print_for_others(measured)); break;
    }
    return ExitCode::good;
}

void add_boot_options(CLI::App& app, Options& options) {
    app.add_option("FINAL.BIN", options.image, "firmware image, or an IGVM file for its MRTD")
        ->required();
    app.add_option("--kernel", options.kernel,
                   "payload, unless the image holds one: bzImage, vmlinux, unified kernel image, "
                   "ELF or PE executable");
    app.add_option("--initrd", options.initrd, "its initrd");
    auto* append =
        may_be_empty(app.add_option("--append", options.append, "its command line; may be empty"));
    app.add_option("--append-file", options.append_file,
                   "file with the command line, every byte of which counts")
        ->excludes(append);
    app.add_flag("--accept-all", options.accepts_all_memory,
                 "fw_cfg item opt/org.tdshim/accept is \"all\"");
    app.add_flag("--smbios", options.passes_smbios,
                 "fw_cfg item opt/org.tdshim/smbios is \"pass\": SMBIOS tables are handed on. They "
                 "tell of the processor: behind --, give the -cpu of the launch");
}

void add_vmm_options(CLI::App& app, Options& options) {
    add_choice<Vmm>(app, "--vmm", options.vmm,
                    {{"any", Vmm::any},
                     {"qemu", Vmm::qemu},
                     {"tdvf-payload", Vmm::tdvf_payload},
                     {"none", Vmm::none}},
                    "any: the one that the image is made for; tdvf-payload: as td-emu starts an "
                    "image with a Payload section, for another VMM give --hob; none: RTMR[0] is "
                    "left out, and without --kernel RTMR[1] too");
    add_number(app, "--payload-entry", options.payload_entry,
               "the payload is a raw vmlinux, as it lies in memory, to be entered here");
    vmm::add_payload_info_option(app, options.payload_form);
    app.add_flag("--plain-vm", options.is_plain_vm,
                 "a VM that is no TD: etc/e820 in place of the TD HOB, and no MRTD");
    app.add_option("--machine", options.machine, "QEMU's -machine, e.g. q35,smm=off,pic=off")
        ->capture_default_str();
    add_memory_option(app, options.memory, "memory of the guest; the default is 2G");
    add_number(app, "--cpus", options.cpus, "vCPUs", 1, 4096);
    app.add_option("--hob", options.hob, "TD HOB of another make than QEMU's for --memory");
    auto* acpi = app.add_option("--acpi", options.acpi,
                                "folder with etc/table-loader, etc/acpi/tables and so on");
    app.add_option("--qemu", options.qemu, "QEMU that is asked for them; it runs no processor")
        ->capture_default_str()
        ->excludes(acpi);
    app.add_option("--save-acpi", options.save_acpi, "folder to keep them in, for --acpi");
    may_be_empty(
        app.add_option("QEMU-ARGUMENTS", options.qemu_arguments,
                       "behind --: further QEMU arguments of the launch, such as devices"));
}

void add_output_options(tools::Command& command, Options& options) {
    CLI::App& app = command.options();
    add_choice<Format>(
        app, "--format", options.format,
        {{"text", Format::text},
         {"json", Format::json},
         {"policy", Format::policy},
         {"trustee", Format::trustee},
         {"trustee-policy", Format::trustee_policy},
         {"go-tdx-guest", Format::go_tdx_guest},
         {"corim", Format::corim}},
        "policy: reference values for shim-log check and shim-attest verify, --attributes and "
        "--xfam among them; for other verifiers: trustee, a message for Trustee's RVPS, and "
        "trustee-policy, the Rego that reads it; go-tdx-guest, a .textproto for check -config; "
        "corim, unsigned");
    app.add_flag_callback("--json", [&] { options.format = Format::json; }, "as --format json");
    app.add_flag("--explain", options.explain, "show the events behind each register");
}

}} // namespace tdshim::tools

int main(int argc, char** argv) {
    using namespace tdshim;
    tools::Options options;
    tools::Command command("shim-measure",
                           "Computes MRTD and RTMRs of a boot from its files, before any launch.",
                           "shim-measure final.bin --kernel vmlinuz --initrd initrd.gz "
                           "--append 'console=ttyS0' --memory 2G --cpus 4 --explain");
    tools::add_boot_options(command.options(), options);
    tools::add_vmm_options(command.options(), options);
    tools::add_load_order_option(command.options(), options.load_order);
    tools::add_identity_options(command.options(), options.identity);
    tools::add_output_options(command, options);
    return command.run(argc, argv, [&] { return tools::run(options); });
}
