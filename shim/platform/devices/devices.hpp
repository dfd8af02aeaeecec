// SPDX-License-Identifier: Apache-2.0
//
// The devices that the shim drives itself, in a TD and in a plain VM alike; fw_cfg is behind
// shim/platform/platform.hpp.
#pragma once

namespace tdshim::devices {

/// Serial port 0x3F8, 115200 baud, 8N1, set up by the first character.
void print_character(char c);
/// Waits until what was printed has left; a reset would take it back.
void drain_console();

/// Host bridge and power management of the q35 machine, when this is one.
void prepare_q35();

} // namespace tdshim::devices
