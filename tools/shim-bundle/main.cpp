// SPDX-License-Identifier: Apache-2.0
//
// shim-bundle: puts kernel, initrd, command line and events of a boot into one file, which
// shim-sign signs, and shows what such a file holds.

#include "tools/common/command.hpp"
#include "tools/shim-bundle/commands.hpp"

namespace {

using namespace tdshim;

constexpr const char* create_example = "shim-bundle create --kernel vmlinuz --initrd initrd.gz "
                                       "--append 'console=ttyS0' -o linux.bundle";

void add_create_options(CLI::App& app, tools::CreateOptions& options) {
    app.add_option("--kernel", options.inputs.kernel, "bzImage or vmlinux")->required();
    app.add_option("--initrd", options.inputs.initrd, "initrd");
    auto* append = tools::may_be_empty(
        app.add_option("--append", options.inputs.append, "command line; may be empty"));
    app.add_option("--append-file", options.inputs.append_file,
                   "file with it, of which every byte counts")
        ->excludes(append);
    app.add_option("--events", options.inputs.events,
                   "events file: what to measure into RTMR[2] and RTMR[3]");
    app.add_option("--title", options.inputs.title, "name of the bundle, for people");
    tools::add_choice<bool>(
        app, "--command-line", options.inputs.appends_command_line,
        {{"refuse", false}, {"append", true}},
        "what becomes of a command line that the VMM gives beside it; refuse if not said");
    tools::add_choice<bool>(app, "--initrd-policy", options.inputs.appends_initrd,
                            {{"refuse", false}, {"append", true}}, "and of an initrd; the same");
    app.add_option("-o,--output", options.output, "file to write")->required();
    tools::add_json_option(app, options.json);
}

} // namespace

int main(int argc, char** argv) {
    tools::CreateOptions create;
    tools::VerifyOptions verify;
    std::string file;
    bool json = false;
    tools::Command command("shim-bundle", "Makes Linux bundles, and shows what they hold.",
                           create_example);
    command.options().require_subcommand(1);
    CLI::App& make = command.add_subcommand("create", "writes a bundle", create_example);
    add_create_options(make, create);
    CLI::App& show = command.add_subcommand("list",
                                            "prints the members of a bundle, or of a unified "
                                            "kernel image, signed or not",
                                            "shim-bundle list linux.bundle");
    show.add_option("FILE", file, "bundle")->required();
    tools::add_json_option(show, json);
    CLI::App& check =
        command.add_subcommand("verify", "checks a bundle as the firmware does",
                               "shim-bundle verify linux.bundle.signed --public-key public.pem");
    check.add_option("FILE", verify.file, "bundle")->required();
    tools::add_judge_options(check, verify.judge);
    tools::add_json_option(check, verify.json);
    return command.run(argc, argv, [&] {
        if (make)
            return tools::create(create);
        return check ? tools::verify_bundle(verify) : tools::list(file, json);
    });
}
