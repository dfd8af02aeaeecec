// SPDX-License-Identifier: Apache-2.0
#include "launch/guest/stage1/process.hpp"

#include <algorithm>
#include <charconv>

namespace tdshim::guest {
namespace {

bool take_number(std::string_view text, std::uint32_t& number) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stop == end;
}

/// False where the line is none.
bool take_line(Process& process, std::string_view line) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    const std::string_view key = line.substr(0, blank);
    const std::string_view value = line.substr(std::min(blank + 1, line.size()));
    if (blank == line.size() || value.find('\0') != std::string_view::npos)
        return false;
    if (key == "user")
        return take_number(value, process.user);
    if (key == "group")
        return take_number(value, process.group);
    if (key == "folder")
        process.folder = value;
    else if (key == "environment")
        process.environment.emplace_back(value);
    else if (key == "argument")
        process.arguments.emplace_back(value);
    else
        return false;
    return true;
}

} // namespace

std::string text_of(const Process& process) {
    std::string text(process_magic);
    const auto add = [&](std::string_view key, std::string_view value) {
        text.append(key).append(" ").append(value).append("\n");
    };
    add("user", std::to_string(process.user));
    add("group", std::to_string(process.group));
    add("folder", process.folder);
    for (const std::string& entry : process.environment)
        add("environment", entry);
    for (const std::string& argument : process.arguments)
        add("argument", argument);
    return text;
}

std::expected<Process, std::string> process_of(std::string_view text) {
    if (!text.starts_with(process_magic))
        return std::unexpected("is no description of a process");
    text.remove_prefix(process_magic.size());
    Process process;
    while (!text.empty()) {
        const std::size_t size = text.find('\n');
        if (size == std::string_view::npos || !take_line(process, text.substr(0, size)))
            return std::unexpected("has a line that is none of a process's");
        text.remove_prefix(size + 1);
    }
    if (process.arguments.empty())
        return std::unexpected("names no program");
    return process;
}

} // namespace tdshim::guest
