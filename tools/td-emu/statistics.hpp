// SPDX-License-Identifier: Apache-2.0
//
// What --stats tells.
#pragma once

#include <nlohmann/json.hpp>

#include "shim/base/bytes.hpp"

namespace tdshim::td_emu {

/// Adds "hashed_bytes", what the firmware hashed as its event log tells, to `result`; nothing where
/// `log` is none, or has an event whose data does not tell.
void add_hashed_bytes(nlohmann::ordered_json& result, Bytes log);

void print_statistics(const nlohmann::ordered_json& result);

} // namespace tdshim::td_emu
