// SPDX-License-Identifier: Apache-2.0
//
// shim-guest: makes guests whose root file system is measured too, and checks their disks.

#include <clocale>

#include "tools/common/command.hpp"
#include "tools/common/text.hpp"
#include "tools/shim-guest/commands.hpp"

namespace {

using namespace tdshim;

constexpr const char* build_example =
    "shim-guest build --root rootfs.tar --kernel vmlinuz --modules modules "
    "--append 'console=ttyS0' -o guest";

void add_build_options(CLI::App& app, tools::BuildOptions& options) {
    auto* root = app.add_option("--root", options.root,
                                "the root file system: a folder, whose files become root's, or a "
                                "tar archive, also compressed")
                     ->check(CLI::ExistingPath);
    app.add_option("--oci", options.oci,
                   "or a container image, in OCI's layout as a folder or a tar archive, whose "
                   "process is started")
        ->check(CLI::ExistingPath)
        ->excludes(root);
    app.add_option("--kernel", options.kernel, "bzImage or vmlinux")->required();
    app.add_option("--modules", options.modules,
                   "folder that holds lib/modules/VERSION of that kernel, with depmod's lists")
        ->required()
        ->check(CLI::ExistingDirectory);
    using guest::Storage;
    tools::add_choice<Storage>(
        app, "--storage", options.wanted.storage,
        {{"none", Storage::none}, {"ram", Storage::ram}, {"overlay", Storage::overlay}},
        "what is writable: nothing but what init mounts, /var in memory, or the whole root in "
        "memory; the default is none");
    tools::add_choice<bool>(app, "--check", options.wanted.checks_all,
                            {{"all", true}, {"used", false}},
                            "what of the disk is read before anything is started: all of it, or "
                            "what is needed, and a changed block ends the guest when it is met; "
                            "the default is used");
    tools::add_choice<bool>(app, "--measure", options.wanted.extends_rtmr2,
                            {{"rtmr2", true}, {"none", false}},
                            "rtmr2: stage 1 extends RTMR[2] by what it starts, which wants Linux "
                            "6.16; the default is none");
    tools::add_number(app, "--wait", options.wanted.wait_seconds,
                      "seconds for the disk to come; the default is 30", 1, 3600);
    app.add_option_function<std::string>(
           "--network",
           [&options](const std::string& text) {
               options.wanted.network = guest::parse_network(text);
           },
           "an IPv4 address for its first network card, and a gateway: 10.0.2.15/24,10.0.2.2")
        ->check([](const std::string& text) {
            return guest::parse_network(text)
                       ? std::string()
                       : "expected ADDRESS/BITS or ADDRESS/BITS,GATEWAY, such as "
                         "10.0.2.15/24,10.0.2.2, found \"" +
                             tools::printable(text) + "\"";
        });
    app.add_option("--init", options.wanted.init, "program to start; the default is /sbin/init");
    tools::may_be_empty(app.add_option("--append", options.append,
                                       "command line, to which the words of the root file system "
                                       "are added; may be empty"));
    app.add_option("--stage1", options.stage1, "another stage 1 than the one beside this program");
    app.add_option("--key", options.key,
                   "private key, PEM or DER, that signs the bundle as shim-sign does")
        ->check(CLI::ExistingFile);
    app.add_option("--passphrase-file", options.passphrase_file,
                   "file whose first line is the passphrase of --key");
    tools::add_number(app, "--svn", options.svn, "secure version number of the bundle");
    app.add_option("--firmware", options.firmware,
                   "image that is to start it: boot.json has its registers then, as a policy for "
                   "shim-log check and shim-attest verify")
        ->check(CLI::ExistingFile);
    tools::add_memory_option(app, options.memory, "memory of the TD, for them; the default is 2G");
    tools::add_number(app, "--cpus", options.cpus, "its vCPUs; the default is 1", 1, 4096);
    app.add_option("--qemu", options.qemu, "QEMU that starts it");
    app.add_option("-o,--output", options.output,
                   "folder to make: disk.img, guest.bundle, initrd, manifest.json, and boot.json")
        ->required();
    tools::add_json_option(app, options.json);
}

} // namespace

int main(int argc, char** argv) {
    std::setlocale(LC_CTYPE, "C.UTF-8"); // names of files, as libarchive has them
    tools::BuildOptions build;
    std::string disk;
    std::string bundle;
    bool json = false;
    tools::Command command("shim-guest",
                           "Makes guests whose root file system is measured too, and checks their "
                           "disks.",
                           build_example);
    command.options().require_subcommand(1);
    CLI::App& make = command.add_subcommand(
        "build", "packs a root file system, read-only, and the bundle that starts it alone",
        build_example);
    add_build_options(make, build);
    CLI::App& check =
        command.add_subcommand("verify", "holds a disk against the bundle that names it",
                               "shim-guest verify guest/disk.img --bundle guest/guest.bundle");
    check.add_option("DISK", disk, "disk")->required();
    check.add_option("--bundle", bundle, "its bundle, signed or not")->required();
    tools::add_json_option(check, json);
    return command.run(
        argc, argv, [&] { return make ? tools::build(build) : tools::verify(disk, bundle, json); });
}
