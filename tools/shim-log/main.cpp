// SPDX-License-Identifier: Apache-2.0
//
// shim-log decode|replay|check: a confidential-computing event log, of a file or of the running
// guest.

#include "tools/common/command.hpp"
#include "tools/shim-log/commands.hpp"

namespace {

constexpr const char* log_of_this_guest = "/sys/firmware/acpi/tables/data/CCEL";

struct Arguments {
    std::string file = log_of_this_guest;
    tdshim::tools::References references;
    bool json = false;
};

CLI::App& add_command(tdshim::tools::Command& command, Arguments& arguments,
                      const std::string& name, const std::string& purpose,
                      const std::string& example) {
    CLI::App& app = command.add_subcommand(name, purpose, example);
    app.add_option("CCEL-FILE", arguments.file, "event log")->capture_default_str();
    tdshim::tools::add_json_option(app, arguments.json);
    return app;
}

void add_references(CLI::App& app, tdshim::tools::References& references) {
    CLI::Option_group* const group =
        app.add_option_group("references", "what the log is checked against");
    group->add_option("--policy", references.policy, "reference values of shim-measure");
    auto* report =
        group->add_option("--report", references.report,
                          "TDREPORT, 1024 bytes, of the same TD: its TDINFO; its MAC, which "
                          "only the machine that made it can check, is not looked at");
    group
        ->add_option("--quote", references.quote,
                     "quote v4 or v5 of the same TD; its signature "
                     "is not checked here")
        ->excludes(report);
    group->require_option(1, 3);
}

} // namespace

int main(int argc, char** argv) {
    using namespace tdshim;
    Arguments arguments;
    tools::Command command("shim-log",
                           "Decodes, replays and checks a confidential-computing event log.",
                           "shim-log check ccel.bin --policy boot.json");
    command.options().require_subcommand(1);
    CLI::App& decode =
        add_command(command, arguments, "decode",
                    "prints the events, what of each no digest covers, and the registers",
                    "shim-log decode ccel.bin");
    CLI::App& replay = add_command(command, arguments, "replay", "prints the registers only",
                                   "shim-log replay ccel.bin --json");
    CLI::App& check = add_command(
        command, arguments, "check",
        "checks the digests, compares registers with reference values, a TDREPORT or a quote, and "
        "says which were not; refuses a TD under debug, unless the "
        "policy pins just that",
        "shim-log check ccel.bin --policy boot.json --quote td.quote");
    add_references(check, arguments.references);
    return command.run(argc, argv, [&]() -> tools::Outcome<tools::ExitCode> {
        if (decode)
            return tools::decode(arguments.file, arguments.json);
        if (replay)
            return tools::replay(arguments.file, arguments.json);
        return tools::check(arguments.file, arguments.references, arguments.json);
    });
}
