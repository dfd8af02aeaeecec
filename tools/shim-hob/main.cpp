// SPDX-License-Identifier: Apache-2.0
//
// shim-hob build|print: the TD HOB, by which a VMM tells a TD about its memory.

#include "tools/common/command.hpp"
#include "tools/shim-hob/commands.hpp"

namespace {

void add_build_options(CLI::App& app, tdshim::tools::BuildOptions& options) {
    using namespace tdshim::tools;
    using tdshim::vmm::Kind;
    app.add_option("FINAL.BIN", options.image, "firmware image that the TD starts with")
        ->required();
    app.add_option("-o,--output", options.output, "file to write")->required();
    add_choice<Kind>(app, "--vmm", options.vmm,
                     {{"qemu", Kind::qemu}, {"cloud-hypervisor", Kind::cloud_hypervisor}},
                     "who would write it");
    add_memory_option(app, options.memory, "memory of the guest; the default is 2G");
    app.add_option("--mmio", options.mmio,
                   "START:SIZE of device memory; Cloud Hypervisor lists 0xc0000000:0x3ec00000 and "
                   "what lies above its RAM");
    app.add_option("--acpi-table", options.acpi_files, "file with one ACPI table");
    app.add_option("--payload-info", options.payload,
                   "TYPE:ENTRY of the payload that the VMM placed; type 1 is a bzImage");
}

} // namespace

int main(int argc, char** argv) {
    using namespace tdshim;
    tools::BuildOptions options;
    std::string file;
    bool json = false;
    constexpr const char* example = "shim-hob build final.bin --memory 2G -o td-hob.bin";
    tools::Command command("shim-hob", "Builds a TD HOB as a VMM would, and prints one.", example);
    command.options().require_subcommand(1);
    CLI::App& build = command.add_subcommand("build", "writes the list for an image", example);
    add_build_options(build, options);
    CLI::App& print =
        command.add_subcommand("print", "prints the HOBs of a file", "shim-hob print td-hob.bin");
    print.add_option("HOB-FILE", file, "HOB list, as it stands in memory")->required();
    tools::add_json_option(print, json);
    return command.run(argc, argv,
                       [&] { return build ? tools::build(options) : tools::print(file, json); });
}
