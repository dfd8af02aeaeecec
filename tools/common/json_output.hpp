// SPDX-License-Identifier: Apache-2.0
//
// What --json prints.
#pragma once

#include <nlohmann/json.hpp>

namespace tdshim::tools {

/// To stdout, indented. Bytes that are no UTF-8 are replaced, never a reason to stop.
void print_json(const nlohmann::ordered_json& value);

} // namespace tdshim::tools
