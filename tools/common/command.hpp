// SPDX-License-Identifier: Apache-2.0
//
// What all tools share as commands: options by CLI11, --help with an example, --version, --json,
// and the exit codes. A tool declares its options, then runs one function.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
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

    /// A subcommand, whose --help has an example of its own.
    CLI::App& add_subcommand(const std::string& name, const std::string& purpose,
                             const std::string& example);

    /// Adds --json to a tool without subcommands.
    void add_json_option(bool& json);

    /// Parses the command line and runs `action`. An option or argument whose value is empty is
    /// refused, unless it is one of may_be_empty(): a tool would take it for one that was not
    /// given, or not, as each asks. A failure goes to stderr as "NAME: text", with
    /// exit code 2; so does a command line that is wrong, and output that cannot be written. Where
    /// --json asks for one JSON object that is {"error": text} then.
    [[nodiscard]] int run(int argc, const char* const* argv,
                          const std::function<Outcome<ExitCode>()>& action);

  private:
    [[nodiscard]] int fail(const std::string& text, bool is_json) const;
    CLI::App options_;
    std::string exit_codes_;
};

/// --json, which asks for the output as one JSON object in place of tables.
void add_json_option(CLI::App& app, bool& json);

/// For an option whose value may be the empty text: a command line, a word for QEMU.
CLI::Option* may_be_empty(CLI::Option* option);

using NumbersByWord = std::map<std::string, std::int64_t>;

/// "qemu|tdshim-spec"
[[nodiscard]] std::string words_of(const NumbersByWord& choices);

/// Makes a word the number that CLI11 takes for the choice, and refuses any other text, the number
/// among it.
[[nodiscard]] CLI::Validator choice_of(const NumbersByWord& choices);

/// An option that takes one of these words, which --help lists.
template <class T, class Value>
CLI::Option* add_choice(CLI::App& app, const std::string& name, Value& value,
                        const std::map<std::string, T>& choices, const std::string& description) {
    NumbersByWord numbers;
    for (const auto& [word, choice] : choices)
        numbers.emplace(word, static_cast<std::int64_t>(choice));
    return app.add_option(name, value, description)
        ->transform(choice_of(numbers))
        ->option_text(words_of(numbers));
}

/// The same for an option that may be given several times, with one or more words each.
template <class T>
CLI::Option* add_choices(CLI::App& app, const std::string& name, std::vector<T>& values,
                         const std::map<std::string, T>& choices, const std::string& description) {
    return add_choice<T>(app, name, values, choices, description)->delimiter(',');
}

/// Makes decimal digits, which CLI11 reads, of a number_of() from `least` to `most`, and refuses
/// any other text: CLI11 itself takes -1 for 2^64 - 1, and 010 for 8.
[[nodiscard]] CLI::Validator number_from(std::uint64_t least, std::uint64_t most);

/// The same for a size_of(), at least `least` bytes, and whole units of `unit` bytes.
[[nodiscard]] CLI::Validator size_from(std::uint64_t least, std::uint64_t unit = 1);

template <class T>
inline constexpr std::uint64_t largest = std::numeric_limits<T>::max();
template <class T>
inline constexpr std::uint64_t largest<std::optional<T>> = std::numeric_limits<T>::max();

/// An option that takes a number, decimal or hexadecimal with 0x. No other way to declare one.
template <class T>
CLI::Option* add_number(CLI::App& app, const std::string& name, T& value,
                        const std::string& description, std::uint64_t least = 0,
                        std::uint64_t most = largest<T>) {
    return app.add_option(name, value, description)
        ->transform(number_from(least, most))
        ->type_name("NUMBER");
}

/// An option that takes a number of bytes: 2G, 512M, ...
template <class T>
CLI::Option* add_size(CLI::App& app, const std::string& name, T& value,
                      const std::string& description, std::uint64_t least = 0,
                      std::uint64_t unit = 1) {
    return app.add_option(name, value, description)
        ->transform(size_from(least, unit))
        ->option_text("SIZE");
}

/// --memory. A number without a unit, which QEMU's -m takes for MiB, is in bytes, and too small.
template <class T>
CLI::Option* add_memory_option(CLI::App& app, T& value, const std::string& description) {
    constexpr std::uint64_t least = std::uint64_t{1} << 20;
    constexpr std::uint64_t page = 4096;
    return add_size(app, "--memory", value, description, least, page);
}

} // namespace tdshim::tools
