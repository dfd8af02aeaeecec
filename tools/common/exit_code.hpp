// SPDX-License-Identifier: Apache-2.0
//
// How a tool's process ends.
#pragma once

namespace tdshim::tools {

enum class ExitCode : int {
    good = 0,
    check_failed = 1,
    bad_input = 2, ///< or wrong usage
};

} // namespace tdshim::tools
