// SPDX-License-Identifier: Apache-2.0
//
// What is enrolled, as shim-info and shim-enroll show it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "shim/formats/cfv/enrolment.hpp"

namespace tdshim::tools {

/// "executable", "linux-bundle", with a comma between.
[[nodiscard]] std::string names_of_kinds(std::uint32_t kinds);

/// A line for the policy, then one for each key and digest.
[[nodiscard]] std::string table_of(const cfv::Enrolment& enrolment);

/// {"policy", "anchor", "keys": [...], "revoked_keys", "revoked", "pinned", "aml",
/// "td_shim_numbering"}.
[[nodiscard]] nlohmann::ordered_json json_of(const cfv::Enrolment& enrolment);

} // namespace tdshim::tools
