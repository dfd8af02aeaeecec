// SPDX-License-Identifier: Apache-2.0
//
// Walks page tables when the firmware loads them, and when the payload begins, and holds them to
// page_rules.hpp; in tdshim's own images only, for the rules are about its memory. A change of
// tables that are loaded is seen at the next load: the shim loads them anew after each.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>

#include "tools/td-emu/plugin/qemu_api.hpp"

namespace tdshim::td_emu {

/// To be called for every instruction of the firmware that is translated, with its bytes, before
/// anything else watches it.
void watch_page_tables(qemu_plugin_insn* instruction, std::span<const std::uint8_t> bytes);

/// The payload begins, at `entry`; from a callback that may read registers. Does not return where a
/// rule is broken.
void check_pages_of_payload(std::uint64_t entry);

/// What the walks found so far; null when there was none.
[[nodiscard]] nlohmann::ordered_json found_protections();

} // namespace tdshim::td_emu
