// SPDX-License-Identifier: Apache-2.0
//
// Addresses that the command line says: no host is asked for any.
#pragma once

#include "launch/guest/stage1/root_words.hpp"
#include "launch/guest/stage1/step.hpp"

namespace tdshim::stage1 {

[[nodiscard]] Step<> start_loopback();

/// Waits for a network card, gives the first of them by name its address, and the gateway. Errors:
/// none came in `seconds`.
[[nodiscard]] Step<> start_network(const guest::Network& network, unsigned seconds);

} // namespace tdshim::stage1
