// SPDX-License-Identifier: Apache-2.0
//
// An IGVM file as shim-info shows it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tools/igvm/file.hpp"

namespace tdshim::tools {

/// Headers, what is put into memory, parameter areas, each in the file's order.
[[nodiscard]] std::string table_of(const igvm::File& file, const std::string& name);

[[nodiscard]] nlohmann::ordered_json json_of(const igvm::File& file, const std::string& name);

} // namespace tdshim::tools
