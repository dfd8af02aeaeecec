// SPDX-License-Identifier: Apache-2.0
//
// What --json prints.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace tdshim::tools {

/// To stdout, indented. Bytes that are no UTF-8 are replaced, never a reason to stop.
void print_json(const nlohmann::ordered_json& value);

/// The same of what --json prints: `object` with the member "schema" in front, NAME/VERSION as
/// specs/json.md lists it. A member that goes, or that means something else, makes it another
/// version; one that comes does not.
void print_json(std::string_view schema, const nlohmann::ordered_json& object);

} // namespace tdshim::tools
