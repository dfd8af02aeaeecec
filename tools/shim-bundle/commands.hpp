// SPDX-License-Identifier: Apache-2.0
//
// What shim-bundle does.
#pragma once

#include <optional>
#include <string>

#include "tools/common/exit_code.hpp"
#include "tools/common/failure.hpp"
#include "tools/signing/judgement.hpp"

namespace tdshim::tools {

struct CreateOptions {
    std::string kernel;
    std::string initrd;
    std::optional<std::string> append;
    std::string append_file;
    std::string events;
    std::string title;
    bool appends_command_line = false;
    bool appends_initrd = false;
    std::string output;
    bool json = false;
};

/// Writes a bundle, after the firmware's own parser took it.
[[nodiscard]] Outcome<ExitCode> create(const CreateOptions& options);

/// Prints the parts of a bundle or of a unified kernel image, signed or not.
[[nodiscard]] Outcome<ExitCode> list(const std::string& file, bool json);

struct VerifyOptions {
    std::string file;
    Judge judge;
    bool json = false;
};

/// Asks what the firmware asks before it starts a bundle. A refusal is printed, with exit code 1.
[[nodiscard]] Outcome<ExitCode> verify_bundle(const VerifyOptions& options);

} // namespace tdshim::tools
