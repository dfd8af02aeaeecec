// SPDX-License-Identifier: Apache-2.0
//
// td-emu: runs a firmware image as a TD, without TDX hardware.

#include <format>
#include <iostream>

#include "shim/formats/tdx/report.hpp"
#include "tools/common/command.hpp"
#include "tools/common/files.hpp"
#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"
#include "tools/td-emu/chosen_fault.hpp"
#include "tools/td-emu/machine.hpp"
#include "tools/td-emu/options.hpp"
#include "tools/td-emu/statistics.hpp"
#include "tools/vmm/options.hpp"

namespace tdshim::td_emu { namespace {

using tools::ExitCode;
using tools::Outcome;

/// The TD's own end, which a test of refusals wants to tell from the emulator's.
constexpr ExitCode reported_fatal_error{3};
constexpr const char* example = "td-emu --firmware final.bin --kernel vmlinuz --initrd initrd.gz "
                                "--append 'console=ttyS0 panic=-1' --cpus 2";
constexpr const char* exit_codes =
    "0 the payload began and nothing was found, 1 a finding: the TD did what a TD may not do, or "
    "ended otherwise than by power-off, as by a reset, or before a payload, 2 bad input or usage, "
    "3 the TD reported a fatal error";

/// The TDREPORT that the plugin made at the end.
Outcome<tdx::Report> report_of(const nlohmann::ordered_json& result) {
    const auto bytes = tools::bytes_of_hex(result.at("report").get<std::string>());
    return tools::of_file("TDREPORT",
                          read_at<tdx::Report>(bytes.value_or(std::vector<std::byte>{}), 0));
}

void print_registers(const tdx::TdInfo& info) {
    std::cout << "td-emu: MRTD    " << tools::hex(info.mrtd) << '\n';
    for (std::size_t i = 0; i < info.rtmr.size(); ++i)
        std::cout << std::format("td-emu: RTMR[{}] {}\n", i, tools::hex(info.rtmr[i]));
}

Outcome<ExitCode> run(const Options& options) {
    TRY(tools::check_outputs(
        {options.report_file, options.ccel_file, options.trace_file, options.console_file}));
    const nlohmann::ordered_json result = TRY(run_td(options));
    const tdx::Report report = TRY(report_of(result));
    if (!options.report_file.empty())
        TRY(tools::write_file(options.report_file, bytes_of(report)));
    const std::string finding = result.at("finding");
    const std::string fatal_error = result.at("fatal_error");
    if (options.json) {
        tools::print_json("td-emu/1", result);
    } else {
        print_registers(report.td_info);
        if (options.statistics)
            print_statistics(result);
        if (!finding.empty())
            std::cout << "td-emu: finding: " << finding << '\n';
        if (!fatal_error.empty())
            std::cout << "td-emu: the TD reported a fatal error: " << fatal_error << '\n';
        if (!result.value("ccel_is_whole", true))
            std::cout << std::format("td-emu: {} is the log as the payload began: the payload "
                                     "extended registers, and the log in memory does not say by "
                                     "what\n",
                                     options.ccel_file);
        if (result.at("end") == "from-outside")
            std::cout << std::format("td-emu: the run was ended from outside, {} a payload began\n",
                                     result.at("payload_entered") ? "after" : "before");
    }
    if (!finding.empty())
        return ExitCode::check_failed;
    if (!fatal_error.empty())
        return reported_fatal_error;
    return result.at("payload_entered") ? ExitCode::good : ExitCode::check_failed;
}

void add_gpa_width_option(CLI::App& app, unsigned& gpa_width) {
    tools::add_choice<unsigned>(
        app, "--gpaw", gpa_width, {{"48", 48}, {"52", 52}, {"53", widest_gpa}},
        "width of guest addresses. TDX has 48 and 52; then only memory that is private can be "
        "reached, and a firmware that wants shared memory is a finding. The default is 53");
}

void add_quote_options(CLI::App& app, Options& options) {
    using quoting::Names;
    using quoting::QuoteVersion;
    app.add_option("--quote-keys", options.quote_keys,
                   "folder of the keys and certificates that sign the TD's quotes, made if it is "
                   "not there; with the collateral for shim-attest verify. Else they go with the "
                   "run");
    app.add_option("--quote-socket", options.quote_socket,
                   "where its quoting service listens as well as for the TD, a Unix socket in the "
                   "place of QGS's: for guests that reach it themselves, as by vsock");
    tools::add_choice<QuoteVersion>(app, "--quote-version", options.quote_version,
                                    {{"4", QuoteVersion::v4}, {"5", QuoteVersion::v5}},
                                    "of the TD's quotes; the default is 4");
    tools::add_choice<Names>(app, "--quote-names", options.quote_names,
                             {{"emulated", Names::emulated}, {"intel", Names::intel}},
                             "names in those certificates: emulated, as they are, or Intel's, for "
                             "verifiers that insist on them");
}

void add_options(CLI::App& app, Options& options) {
    app.add_option("--firmware", options.firmware, "the image, final.bin")
        ->required()
        ->check(CLI::ExistingFile);
    tools::add_memory_option(app, options.memory, "memory of the TD; the default is 2G");
    tools::add_number(app, "--cpus", options.vcpus, "vCPUs", 1, 64);
    app.add_option(
           "--kernel", options.kernel,
           "a payload: bzImage, vmlinux, unified kernel image, ELF or PE executable; it "
           "comes by fw_cfg, or into the image's Payload section where there is one, and to "
           "firmware of another make as QEMU's -kernel")
        ->check(CLI::ExistingFile);
    app.add_option("--initrd", options.initrd, "its initrd")->check(CLI::ExistingFile);
    tools::may_be_empty(
        app.add_option("--append", options.command_line, "its command line; may be empty"));
    tools::add_number(app, "--payload-entry", options.payload_entry,
                      "the payload is a raw vmlinux, as it lies in memory, to be entered here");
    vmm::add_payload_info_option(app, options.payload_form);
    add_gpa_width_option(app, options.gpa_width);
    tools::add_choice<bool>(app, "--until", options.until_payload,
                            {{"payload", true}, {"exit", false}},
                            "payload: end where the payload begins");
    using tdx_model::ModuleVersion;
    tools::add_choice<ModuleVersion>(
        app, "--tdx-module", options.module_version,
        {{"1.5.01", ModuleVersion::v1_5_01},
         {"1.5.05", ModuleVersion::v1_5_05},
         {"2.0", ModuleVersion::v2_0}},
        "the TDX module whose answers the TD gets; the default is 2.0");
    app.add_flag("--large-pages", options.grants_large_pages,
                 "the VMM backs memory by 2 MiB pages, which KVM of today does not");
    app.add_flag("--flexible-pending-ve", options.flexible_pending_ve,
                 "the VMM lets the TD choose whether an access to a page that nobody accepted "
                 "raises #VE (CONFIG_FLAGS.FLEXIBLE_PENDING_VE), which KVM of today does not");
    app.add_flag("--deliver-exceptions", options.delivers_exceptions,
                 "the firmware gets the #VE and #GP of its instructions instead of a finding");
    app.add_flag("--watch-payload", options.watches_payload,
                 "Linux too is held to the rule that memory is accepted before it is used, which "
                 "takes it several times as long");
    app.add_option("--fault", options.fault,
                   "what a hostile VMM does while the firmware runs: a file (specs/td-emu.md) or "
                   "one of " +
                       fault_names());
    tools::add_load_order_option(app, options.load_order);
    tools::add_identity_options(app, options.identity);
    add_quote_options(app, options);
    app.add_option("--report", options.report_file, "writes the TDREPORT of the end to this file");
    app.add_option("--ccel", options.ccel_file,
                   "writes the event log to this file: with the events of a payload that extends "
                   "registers itself, else as it is when the payload begins or the run ends "
                   "before");
    app.add_option("--trace", options.trace_file,
                   "writes a line for each TDCALL and TDVMCALL, with operands and results, to "
                   "this file");
    app.add_option(
        "--console", options.console_file,
        "writes the TD's console to this file as it comes; by default it goes to stdout, "
        "and with --json to stderr");
    app.add_option("--qemu", options.qemu, "QEMU 11 or later, with plugins");
    app.add_flag(
        "--stats", options.statistics,
        "counts calls, pages, all instructions until the payload begins (of another make's "
        "firmware: until an operating system's kernel does), and of tdshim bytes hashed, "
        "stacks and page tables used, and what protects it");
    tools::may_be_empty(app.add_option("more", options.more, "more arguments for QEMU, after --"));
}

}} // namespace tdshim::td_emu

int main(int argc, char** argv) {
    using namespace tdshim;
    td_emu::Options options;
    tools::Command command(
        "td-emu",
        "Runs a firmware image as a TD under QEMU, without TDX hardware. Nothing that it measures "
        "proves anything.",
        td_emu::example, td_emu::exit_codes);
    td_emu::add_options(command.options(), options);
    command.add_json_option(options.json);
    return command.run(argc, argv, [&] { return td_emu::run(options); });
}
