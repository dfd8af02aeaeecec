// SPDX-License-Identifier: Apache-2.0
#include "tools/common/command.hpp"

#include <cstdio>
#include <iostream>
#include <string_view>

namespace tdshim::tools {

Command::Command(const std::string& name, const std::string& purpose, const std::string& example,
                 const std::string& exit_codes)
    : options_(purpose, name) {
    options_.set_version_flag("--version", name + " (tdshim) " TDSHIM_VERSION);
    options_.footer("example: " + example + "\n\nexit codes: " + exit_codes);
}

void Command::add_json_option(bool& json) {
    tools::add_json_option(options_, json);
}

int Command::run(int argc, const char* const* argv,
                 const std::function<Outcome<ExitCode>()>& action) {
    try {
        options_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) // --help, --version
            return options_.exit(error);
        return fail(std::string(error.what()) + " (see " + options_.get_name() + " --help)");
    }
    const auto outcome = action();
    std::cout.flush();
    if (!outcome)
        return fail(outcome.error().text);
    if (!std::cout)
        return fail("cannot write to standard output");
    return static_cast<int>(*outcome);
}

int Command::fail(const std::string& text) const {
    // A word of the command line that nobody expected can be a token's URI.
    constexpr std::string_view secret = "pin-value=";
    const std::size_t at = text.find(secret);
    std::cerr << options_.get_name() << ": "
              << (at == std::string::npos ? text : text.substr(0, at + secret.size()) + "...")
              << '\n';
    return static_cast<int>(ExitCode::bad_input);
}

void add_json_option(CLI::App& app, bool& json) {
    app.add_flag("--json", json, "print one JSON object in place of tables");
}

} // namespace tdshim::tools
