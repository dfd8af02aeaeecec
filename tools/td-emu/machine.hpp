// SPDX-License-Identifier: Apache-2.0
//
// One run of QEMU with the plugin: the files that it needs in a folder of its own, its command
// line, and what the plugin left behind.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/common/failure.hpp"
#include "tools/td-emu/options.hpp"

namespace tdshim::td_emu {

/// Builds the TD, runs it to its end and returns the plugin's result, with "mrtd" added.
[[nodiscard]] tools::Outcome<nlohmann::ordered_json> run_td(const Options& options);

} // namespace tdshim::td_emu
