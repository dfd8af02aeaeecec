// SPDX-License-Identifier: Apache-2.0
#include "tools/common/json_input.hpp"

#include <algorithm>
#include <format>
#include <optional>
#include <set>
#include <vector>

#include "tools/common/text.hpp"

namespace tdshim::tools {
namespace {

using Json = nlohmann::ordered_json;

/// Follows the parser and keeps the way to the first member that stands twice.
class Duplicates {
  public:
    void see(Json::parse_event_t event, const Json& parsed) {
        using enum Json::parse_event_t;
        switch (event) {
        case object_start: levels_.emplace_back(); break;
        case array_start: levels_.emplace_back().is_list = true; break;
        case key: see_key(parsed.get<std::string>()); break;
        case object_end:
        case array_end:
            levels_.pop_back();
            end_value();
            break;
        case value: end_value(); break;
        }
    }

    [[nodiscard]] const std::optional<std::string>& first() const { return first_; }

  private:
    struct Level {
        bool is_list = false;
        std::size_t index = 0;      ///< of a list's element
        std::string key;            ///< of an object's member
        std::set<std::string> keys; ///< seen so far
    };

    void see_key(const std::string& name) {
        levels_.back().key = name;
        if (!levels_.back().keys.insert(name).second && !first_)
            first_ = way();
    }

    void end_value() {
        if (!levels_.empty() && levels_.back().is_list)
            ++levels_.back().index;
    }

    [[nodiscard]] std::string way() const {
        std::string way;
        for (const Level& level : levels_)
            way += level.is_list ? std::format("[{}]", level.index)
                                 : (way.empty() ? "" : ".") + level.key;
        return way;
    }

    std::vector<Level> levels_;
    std::optional<std::string> first_;
};

bool begins_level(Json::parse_event_t event) {
    return event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
}

} // namespace

Outcome<Json> parse_json(const std::string& file, Bytes bytes) {
    constexpr std::size_t longest_shown = 80;
    // The parser takes it for the end of its input.
    if (const auto nul = std::ranges::find(bytes, std::byte{0}); nul != bytes.end())
        return std::unexpected(
            failure(file, std::format("is no JSON: expected text, found a NUL at offset {}",
                                      hex(static_cast<std::uint64_t>(nul - bytes.begin())))));
    Duplicates duplicates;
    bool is_too_deep = false;
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    Json json = Json::parse(
        text, text + bytes.size(),
        [&](int depth, Json::parse_event_t event, const Json& parsed) {
            is_too_deep = is_too_deep || (begins_level(event) && depth >= max_json_depth);
            if (!is_too_deep)
                duplicates.see(event, parsed);
            return !is_too_deep;
        },
        false);
    if (is_too_deep)
        return std::unexpected(failure(
            file, std::format("is nested more deeply than {} objects and lists", max_json_depth)));
    if (json.is_discarded())
        return std::unexpected(failure(file, "is no JSON"));
    if (const auto& twice = duplicates.first())
        return std::unexpected(
            failure(file, printable(twice->substr(0, longest_shown)) + ": stands twice"));
    return json;
}

} // namespace tdshim::tools
