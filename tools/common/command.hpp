// SPDX-License-Identifier: Apache-2.0
//
// What all tools share as commands: options by CLI11, --help with an example, --version, --json,
// and the exit codes. A tool declares its options, then runs one function.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>

#include "tools/common/exit_code.hpp"
#include "tools/common/failure.hpp"

namespace tdshim::tools {

class Command {
  public:
    /// `example` is one real command line; `exit_codes` says what the codes mean, where there are
    /// others than those of ExitCode.
    Command(const std::string& name, const std::string& purpose, const std::string& example,
            const std::string& exit_codes = "0 good, 1 a check failed, 2 bad input or usage");

    [[nodiscard]] CLI::App& options() { return options_; }

    /// Adds --json to a tool without subcommands.
    void add_json_option(bool& json);

    /// Parses the command line and runs `action`. A failure goes to stderr as "NAME: text", with
    /// exit code 2; so does a command line that is wrong, and output that cannot be written.
    [[nodiscard]] int run(int argc, const char* const* argv,
                          const std::function<Outcome<ExitCode>()>& action);

  private:
    [[nodiscard]] int fail(const std::string& text) const;
    CLI::App options_;
};

/// --json, which asks for the output as one JSON object in place of tables.
void add_json_option(CLI::App& app, bool& json);

/// An option that takes one of these words, which --help lists.
template <class T>
CLI::Option* add_choice(CLI::App& app, const std::string& name, T& value,
                        const std::map<std::string, T>& choices, const std::string& description) {
    std::string words;
    for (const auto& [word, ignored] : choices)
        words += (words.empty() ? "" : "|") + word;
    return app.add_option(name, value, description)
        ->transform(CLI::CheckedTransformer(choices))
        ->option_text(words);
}

/// An option that takes a number of bytes: 2G, 512M, ...
template <class T>
CLI::Option* add_size(CLI::App& app, const std::string& name, T& value,
                      const std::string& description) {
    return app.add_option(name, value, description)
        ->transform(CLI::AsSizeValue(false))
        ->option_text("SIZE");
}

} // namespace tdshim::tools
