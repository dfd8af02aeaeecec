// SPDX-License-Identifier: Apache-2.0
#include "tools/common/command.hpp"

#include <algorithm>
#include <cstdio>
#include <format>
#include <iostream>
#include <span>
#include <string_view>
#include <vector>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

constexpr const char* empty_mark = "may be empty"; // the name of a validator that takes all

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

/// Whether there is an option of that name that takes a value, or in a subcommand.
bool has_option(const CLI::App& app, const std::string& name) {
    const CLI::Option* const option = app.get_option_no_throw(name);
    return (option != nullptr && takes_value(*option)) ||
           std::ranges::any_of(app.get_subcommands([](const CLI::App*) { return true; }),
                               [&](const CLI::App* part) { return has_option(*part, name); });
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

} // namespace

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
    refuse_empty_values(options_);
    try {
        options_.parse(words_of(options_, std::span(argv, static_cast<std::size_t>(argc))));
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
