// SPDX-License-Identifier: Apache-2.0
//
// Takes members out of a JSON object that somebody wrote. Errors name the file, the way to the
// member, what was expected and what was found.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/common/failure.hpp"

namespace tdshim::tools {

class Members {
  public:
    /// `way` leads to the object, and ends with a dot unless it is empty: "events[1].".
    Members(const nlohmann::ordered_json& object, std::string file, std::string way)
        : object_(object), file_(std::move(file)), way_(std::move(way)) {}

    /// What is said of a member that is not what was expected.
    [[nodiscard]] std::unexpected<Failure> wrong(const std::string& name,
                                                 const std::string& expected) const;

    /// The member; nullptr where there is none.
    [[nodiscard]] const nlohmann::ordered_json* find(const std::string& name) const;

    /// An error for the first member that is none of `known`.
    [[nodiscard]] Outcome<> only(std::span<const std::string_view> known) const;

    [[nodiscard]] Outcome<std::string> text(const std::string& name) const;
    [[nodiscard]] Outcome<std::uint64_t> number(const std::string& name, std::uint64_t most) const;
    /// Of two hexadecimal digits a byte.
    [[nodiscard]] Outcome<std::vector<std::byte>> bytes(const std::string& name,
                                                        std::size_t size) const;
    /// The members of an object, or the elements of a list of at most `most`.
    [[nodiscard]] Outcome<Members> object(const std::string& name) const;
    [[nodiscard]] Outcome<std::vector<Members>> list(const std::string& name,
                                                     std::size_t most) const;

  private:
    const nlohmann::ordered_json& object_;
    std::string file_;
    std::string way_;
};

} // namespace tdshim::tools
