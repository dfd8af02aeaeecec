// SPDX-License-Identifier: Apache-2.0
//
// What a tool is at while it works on a large file, for somebody who waits at a terminal: one line
// on stderr that is written over itself, and gone at the end. Anywhere else, and for smaller files,
// nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tdshim::tools {

class Progress {
  public:
    /// Files from this size on take long enough for a line.
    static constexpr std::uint64_t least_size = std::uint64_t{64} << 20;

    /// "FILE: DOING", shown until the object goes. `size`: of the file, in bytes.
    Progress(std::string_view file, std::string_view doing, std::uint64_t size);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Says what part of the size that is. Only where it is known how much is done.
    void advance_to(std::uint64_t bytes);

  private:
    void print(std::string_view part) const;

    std::string text_;
    std::uint64_t size_;
    bool is_shown_;
    unsigned percent_ = 0;
};

} // namespace tdshim::tools
