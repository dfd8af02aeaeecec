// SPDX-License-Identifier: Apache-2.0
//
// What shim-bundle does.
#pragma once

#include <string>

#include "tools/common/exit_code.hpp"
#include "tools/common/failure.hpp"
#include "tools/shim-bundle/bundle_file.hpp"
#include "tools/signing/judgement.hpp"

namespace tdshim::tools {

struct CreateOptions {
    BundleInputs inputs;
    std::string output;
    bool json = false;
};

/// Writes a bundle.
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
