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

/// Reads a text without keeping it: its bounds, and the way to the first member that stands twice.
class Shape final : public nlohmann::json_sax<Json> {
  public:
    /// Why the reading was given up, which no error of the syntax says.
    [[nodiscard]] const std::optional<std::string>& refusal() const { return refusal_; }
    [[nodiscard]] const std::optional<std::string>& twice() const { return twice_; }

    bool null() override { return end_value(); }
    bool boolean(bool) override { return end_value(); }
    bool number_integer(number_integer_t) override { return end_value(); }
    bool number_unsigned(number_unsigned_t) override { return end_value(); }
    bool number_float(number_float_t, const string_t&) override { return end_value(); }
    bool string(string_t&) override { return end_value(); }
    bool binary(binary_t&) override { return end_value(); }
    bool start_object(std::size_t) override { return begin_level(false); }
    bool start_array(std::size_t) override { return begin_level(true); }
    bool end_object() override { return end_level(); }
    bool end_array() override { return end_level(); }

    bool key(string_t& name) override {
        Level& level = levels_.back();
        level.key = name;
        if (!level.keys.insert(name).second && !twice_)
            twice_ = way();
        return level.keys.size() <= max_json_members ||
               refuse(std::format("{}: has more than {} members", way(), max_json_members));
    }

    bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
        return false;
    }

  private:
    struct Level {
        bool is_list = false;
        std::size_t index = 0;      ///< of a list's element
        std::string key;            ///< of an object's member
        std::set<std::string> keys; ///< seen so far
    };

    bool refuse(std::string reason) {
        refusal_ = std::move(reason);
        return false;
    }

    bool begin_level(bool is_list) {
        if (levels_.size() == max_json_depth)
            return refuse(
                std::format("is nested more deeply than {} objects and lists", max_json_depth));
        levels_.emplace_back().is_list = is_list;
        return true;
    }

    bool end_level() {
        levels_.pop_back();
        return end_value();
    }

    bool end_value() {
        if (++values_ > max_json_values)
            return refuse(std::format("has more than {} values", max_json_values));
        if (!levels_.empty() && levels_.back().is_list)
            ++levels_.back().index;
        return true;
    }

    /// Its beginning: a key may be as long as its file.
    [[nodiscard]] std::string way() const {
        constexpr std::size_t longest_shown = 80;
        std::string way;
        for (const Level& level : levels_)
            way += level.is_list ? std::format("[{}]", level.index)
                                 : (way.empty() ? "" : ".") + level.key;
        return way.substr(0, longest_shown);
    }

    std::vector<Level> levels_;
    std::optional<std::string> twice_;
    std::size_t values_ = 0;
    std::optional<std::string> refusal_;
};

} // namespace

Outcome<Json> parse_json(const std::string& file, Bytes bytes) {
    // The parser takes it for the end of its input.
    if (const auto nul = std::ranges::find(bytes, std::byte{0}); nul != bytes.end())
        return std::unexpected(
            failure(file, std::format("is no JSON: expected text, found a NUL at offset {}",
                                      hex(static_cast<std::uint64_t>(nul - bytes.begin())))));
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    Shape shape;
    const bool is_json = Json::sax_parse(text, text + bytes.size(), &shape);
    if (const auto& refusal = shape.refusal())
        return std::unexpected(failure(file, printable(*refusal)));
    if (!is_json)
        return std::unexpected(failure(file, "is no JSON"));
    if (const auto& twice = shape.twice())
        return std::unexpected(failure(file, printable(*twice) + ": stands twice"));
    return Json::parse(text, text + bytes.size());
}

} // namespace tdshim::tools
