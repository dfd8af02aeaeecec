// SPDX-License-Identifier: Apache-2.0
#include "tools/common/command.hpp"

#include <algorithm>
#include <cstdio>
#include <format>
#include <iostream>
#include <span>
#include <string_view>
#include <vector>

#include "tools/common/json_output.hpp"
#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

constexpr const char* empty_mark = "may be empty"; // the name of a validator that takes all

/// Names of files are whatever somebody gave: none of them moves the terminal's cursor.
std::string without_controls(const std::string& text) {
    constexpr char del = 0x7F;
    std::string shown;
    for (const char c : text)
        shown += (c >= 0 && c < ' ' && c != '\n') || c == del
                     ? std::format("\\x{:02x}", static_cast<unsigned>(c))
                     : std::string(1, c);
    return shown;
}

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0; // a flag takes none
}

bool takes_empty_text(CLI::Option& option) {
    try {
        return option.get_validator(empty_mark) != nullptr;
    } catch (const CLI::OptionNotFound&) {
        return false;
    }
}

CLI::Validator not_empty() {
    return {[](const std::string& text) -> std::string {
                return text.empty() ? "is empty: expected a value; for none leave it out" : "";
            },
            ""};
}

/// Of the app, its groups of options and its subcommands.
void refuse_empty_values(CLI::App& app) {
    for (CLI::Option* option : app.get_options())
        if (takes_value(*option) && !takes_empty_text(*option))
            option->transform(not_empty()); // which goes before what else looks at the value
    for (CLI::App* part : app.get_subcommands([](const CLI::App*) { return true; }))
        refuse_empty_values(*part);
}

/// Of the app itself or one of its subcommands, the option of that name; nullptr where none has it.
const CLI::Option* find_option(const CLI::App& app, const std::string& name) {
    if (const CLI::Option* const option = app.get_option_no_throw(name))
        return option;
    for (const CLI::App* part : app.get_subcommands([](const CLI::App*) { return true; }))
        if (const CLI::Option* const option = find_option(*part, name))
            return option;
    return nullptr;
}

/// Whether there is an option of that name that takes a value, or in a subcommand.
bool has_option(const CLI::App& app, const std::string& name) {
    const CLI::Option* const option = find_option(app, name);
    return option != nullptr && takes_value(*option);
}

/// The words of a command line, the last first, as CLI11 wants them. Behind "--option=" it would
/// take the next word for the value: here that is the empty one.
std::vector<std::string> words_of(const CLI::App& app, std::span<const char* const> arguments) {
    std::vector<std::string> words;
    bool is_behind_options = false;
    for (const std::string word : arguments.subspan(std::min<std::size_t>(1, arguments.size()))) {
        is_behind_options = is_behind_options || word == "--";
        const bool is_empty = !is_behind_options && word.starts_with("--") && word.ends_with('=') &&
                              has_option(app, word.substr(0, word.size() - 1));
        words.push_back(is_empty ? word.substr(0, word.size() - 1) : word);
        if (is_empty)
            words.emplace_back();
    }
    std::ranges::reverse(words);
    return words;
}

/// Whether these words ask for JSON, also where they are wrong.
bool asks_for_json(const CLI::App& app, std::span<const char* const> arguments) {
    const auto end = std::ranges::find(arguments, std::string_view("--"));
    return std::find(arguments.begin(), end, std::string_view("--json")) != end &&
           find_option(app, "--json") != nullptr;
}

/// What is wrong with the words that no option took.
std::string text_of_extras(const CLI::App& app) {
    const std::vector<std::string> words = app.remaining(true);
    std::string text = "does not take";
    for (const std::string& word : words)
        text += " \"" + printable(word) + '"';
    for (const CLI::App* part : app.get_subcommands([](const CLI::App*) { return true; }))
        if (find_option(*part, words.front()) != nullptr)
            return std::format("{}: {} is an option of \"{} {}\"", text, words.front(),
                               app.get_name(), part->get_name());
    return text;
}

} // namespace

Command::Command(const std::string& name, const std::string& purpose, const std::string& example,
                 const std::string& exit_codes)
    : options_(purpose, name), exit_codes_("\n\nexit codes: " + exit_codes) {
    options_.set_version_flag("--version", name + " (tdshim) " TDSHIM_VERSION);
    options_.footer("example: " + example + exit_codes_);
}

CLI::App& Command::add_subcommand(const std::string& name, const std::string& purpose,
                                  const std::string& example) {
    CLI::App* const app = options_.add_subcommand(name, purpose);
    app->footer("example: " + example + exit_codes_);
    return *app;
}

void Command::add_json_option(bool& json) {
    tools::add_json_option(options_, json);
}

int Command::run(int argc, const char* const* argv,
                 const std::function<Outcome<ExitCode>()>& action) {
    refuse_empty_values(options_);
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    const bool is_json = asks_for_json(options_, arguments);
    const std::string see = " (see " + options_.get_name() + " --help)";
    try {
        options_.parse(words_of(options_, arguments));
    } catch (const CLI::ExtrasError&) {
        return fail(text_of_extras(options_) + see, is_json);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) // --help, --version
            return options_.exit(error);
        return fail(error.what() + see, is_json);
    }
    const auto outcome = action();
    std::cout.flush();
    if (!outcome)
        return fail(outcome.error().text, is_json && !outcome.error().is_in_output);
    if (!std::cout)
        return fail("cannot write to standard output", false);
    return static_cast<int>(*outcome);
}

int Command::fail(const std::string& text, bool is_json) const {
    // A word of the command line that nobody expected can be a token's URI.
    constexpr std::string_view secret = "pin-value=";
    const std::size_t at = text.find(secret);
    const std::string shown = without_controls(
        at == std::string::npos ? text : text.substr(0, at + secret.size()) + "...");
    std::cerr << options_.get_name() << ": " << shown << '\n';
    if (is_json)
        print_json("error/1", {{"error", shown}});
    return static_cast<int>(ExitCode::bad_input);
}

CLI::Option* may_be_empty(CLI::Option* option) {
    return option->check(
        CLI::Validator([](const std::string&) { return std::string(); }, "", empty_mark));
}

CLI::Validator number_from(std::uint64_t least, std::uint64_t most) {
    return {[=](std::string& text) {
                const auto number = number_of(text);
                if (!number || *number < least || *number > most)
                    return std::format("expected a number from {} to {}, decimal or hexadecimal "
                                       "with 0x, found \"{}\"",
                                       least, most, printable(text));
                text = std::to_string(*number);
                return std::string();
            },
            ""};
}

std::string words_of(const NumbersByWord& choices) {
    std::string words;
    for (const auto& [word, ignored] : choices)
        words += (words.empty() ? "" : "|") + word;
    return words;
}

CLI::Validator choice_of(const NumbersByWord& choices) {
    return {[=](std::string& text) {
                const auto choice = choices.find(text);
                if (choice == choices.end())
                    return std::format("expected {}, found \"{}\"", words_of(choices),
                                       printable(text));
                text = std::to_string(choice->second);
                return std::string();
            },
            ""};
}

CLI::Validator size_from(std::uint64_t least, std::uint64_t unit) {
    return {[=](std::string& text) {
                const auto bytes = size_of(text);
                if (!bytes)
                    return std::format("expected a number of bytes, or one with K, M, G or T, "
                                       "such as 512M, found \"{}\"",
                                       printable(text));
                if (*bytes < least)
                    return std::format("expected at least {} bytes, found {}: without a unit it is "
                                       "bytes, with M MiB",
                                       least, *bytes);
                if (*bytes % unit != 0)
                    return std::format("expected whole units of {} bytes, found {}", unit, *bytes);
                text = std::to_string(*bytes);
                return std::string();
            },
            ""};
}

void add_json_option(CLI::App& app, bool& json) {
    app.add_flag("--json", json, "print one JSON object in place of tables");
}

} // namespace tdshim::tools
