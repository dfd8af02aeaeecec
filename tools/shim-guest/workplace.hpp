// SPDX-License-Identifier: Apache-2.0
//
// Where a guest is made: a folder beside the one that it becomes.
#pragma once

#include <string>
#include <utility>

#include "tools/common/failure.hpp"

namespace tdshim::tools {

/// Gone with the object, unless it became the output.
class Workplace {
  public:
    /// Errors: `output` is there, and is no guest that a build made.
    static Outcome<Workplace> make(const std::string& output);
    ~Workplace();
    Workplace(const Workplace&) = delete;
    Workplace& operator=(const Workplace&) = delete;
    Workplace(Workplace&& other) noexcept
        : path_(std::exchange(other.path_, {})), output_(std::move(other.output_)) {}

    [[nodiscard]] const std::string& folder() const { return path_; }
    [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

    /// An older guest goes; at no time is there none, or half of one.
    Outcome<> become_output();

  private:
    Workplace(std::string path, std::string output)
        : path_(std::move(path)), output_(std::move(output)) {}
    std::string path_;
    std::string output_;
};

} // namespace tdshim::tools
