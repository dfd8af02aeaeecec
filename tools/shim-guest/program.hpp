// SPDX-License-Identifier: Apache-2.0
//
// Other programs that shim-guest has work for.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "tools/common/descriptor.hpp"

namespace tdshim::tools {

/// Runs `words` in `folder` to the end, what it prints into `file` there. Errors: an exit code that
/// is not 0.
[[nodiscard]] Outcome<> run_program(const std::vector<std::string>& words,
                                    const std::string& folder, const std::string& file);

/// A program that runs, and reads from a pipe. It ends when its input does; a failure to write to
/// it, where it ended before, is told by finish().
class Program {
  public:
    /// `words`: its name, looked for on PATH, and arguments. Errors: `package` is to be installed.
    [[nodiscard]] static Outcome<Program> start(const std::vector<std::string>& words,
                                                const std::string& package);

    [[nodiscard]] const Descriptor& input() const { return input_; }

    /// Ends its input and waits for it. Errors: an exit code that is not 0.
    [[nodiscard]] Outcome<> finish();

  private:
    Program(std::string name, pid_t process, Descriptor input)
        : name_(std::move(name)), process_(process), input_(std::move(input)) {}

    std::string name_;
    pid_t process_;
    Descriptor input_;
};

} // namespace tdshim::tools
