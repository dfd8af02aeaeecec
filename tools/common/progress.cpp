// SPDX-License-Identifier: Apache-2.0
#include "tools/common/progress.hpp"

#include <cstdio>
#include <format>
#include <unistd.h>

#include "tools/common/failure.hpp"
#include "tools/common/text.hpp"

namespace tdshim::tools {

Progress::Progress(std::string_view file, std::string_view doing, std::uint64_t size)
    : text_(std::format("{}: {}", printable(shown_name(file)), doing)), size_(size),
      is_shown_(size >= least_size && ::isatty(STDERR_FILENO) == 1) {
    print("");
}

Progress::~Progress() {
    if (is_shown_)
        std::fputs("\r\x1b[K", stderr); // the line is empty again [ECMA-48, 8.3.41, EL]
}

void Progress::advance_to(std::uint64_t bytes) {
    if (!is_shown_)
        return;
    const auto percent = static_cast<unsigned>(bytes * 100 / size_);
    if (percent != percent_)
        print(std::format(", {} %", percent));
    percent_ = percent;
}

void Progress::print(std::string_view part) const {
    if (is_shown_)
        std::fputs(std::format("\r\x1b[K{}{}", text_, part).c_str(), stderr);
}

} // namespace tdshim::tools
