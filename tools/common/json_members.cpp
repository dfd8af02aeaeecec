// SPDX-License-Identifier: Apache-2.0
#include "tools/common/json_members.hpp"

#include <algorithm>
#include <format>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

constexpr std::size_t longest_shown = 80; // characters of somebody's text in a message

} // namespace

std::unexpected<Failure> Members::wrong(const std::string& name,
                                        const std::string& expected) const {
    const auto* const found = find(name);
    const std::string seen = !object_.is_object() ? "no object"
                             : found == nullptr   ? "nothing"
                                                : printable(found->dump().substr(0, longest_shown));
    return std::unexpected(
        failure(file_, std::format("{}{}: expected {}, found {}", way_, name, expected, seen)));
}

const nlohmann::ordered_json* Members::find(const std::string& name) const {
    const auto found = object_.is_object() ? object_.find(name) : object_.end();
    return found == object_.end() ? nullptr : &*found;
}

Outcome<> Members::only(std::span<const std::string_view> known) const {
    if (object_.is_object())
        for (const auto& [name, value] : object_.items())
            if (!std::ranges::contains(known, name))
                return std::unexpected(failure(file_, way_ +
                                                          printable(name.substr(0, longest_shown)) +
                                                          ": there is no such member"));
    return {};
}

Outcome<std::string> Members::text(const std::string& name) const {
    const auto* const found = find(name);
    if (found == nullptr || !found->is_string())
        return wrong(name, "a text");
    return found->get<std::string>();
}

Outcome<std::uint64_t> Members::number(const std::string& name, std::uint64_t most) const {
    const auto* const found = find(name);
    if (found == nullptr || !found->is_number_unsigned() || found->get<std::uint64_t>() > most)
        return wrong(name, std::format("a number up to {}", most));
    return found->get<std::uint64_t>();
}

Outcome<std::vector<std::byte>> Members::bytes(const std::string& name, std::size_t size) const {
    const auto* const found = find(name);
    if (found != nullptr && found->is_string())
        if (auto value = bytes_of_hex(found->get<std::string>()); value && value->size() == size)
            return std::move(*value);
    return wrong(name, std::format("{} hexadecimal digits", 2 * size));
}

Outcome<Members> Members::object(const std::string& name) const {
    const auto* const found = find(name);
    if (found == nullptr || !found->is_object())
        return wrong(name, "an object");
    return Members(*found, file_, way_ + name + ".");
}

Outcome<std::vector<Members>> Members::list(const std::string& name, std::size_t most) const {
    const auto* const found = find(name);
    if (found == nullptr || !found->is_array() || found->size() > most)
        return wrong(name, std::format("a list of at most {}", most));
    std::vector<Members> elements;
    for (std::size_t i = 0; i < found->size(); ++i)
        elements.emplace_back((*found)[i], file_, std::format("{}{}[{}].", way_, name, i));
    return elements;
}

} // namespace tdshim::tools
