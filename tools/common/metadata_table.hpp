// SPDX-License-Identifier: Apache-2.0
//
// The sections of TDX metadata as shim-ld and shim-info show them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "shim/formats/tdvf/metadata.hpp"

namespace tdshim::tools {

/// A headline with the descriptor's place, then a line a section.
[[nodiscard]] std::string table_of(const tdvf::Metadata& metadata);

/// {"offset", "found_by", "legacy_pointer", "sections": [...]}; the pointer is null where there is
/// none.
[[nodiscard]] nlohmann::ordered_json json_of(const tdvf::Metadata& metadata);

} // namespace tdshim::tools
